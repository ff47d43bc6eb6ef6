import { readdir, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { EdgeError } from '../../shared/errors';

/** Where models may lie. */
export interface ModelFolders {
  /** Node-RED's user folder. */
  userDir: string;
  /** The models that ship with the package. */
  builtin: string;
}

const BUILTIN = 'builtin:';
const MODEL_FILE = /\.(onnx|ort)$/i;
const MAX_LISTED = 50;
const MAX_DEPTH = 3;

/**
 * Finds a model's file.
 *
 * @param model `builtin:<name>`, or a path under the user folder, its `models` folder or the package's `models`
 * @param trusted whether it was set in the editor: then an absolute path outside of these folders is allowed too
 * @returns the real path, with every symbolic link followed
 * @throws EdgeError `MODEL_NOT_FOUND`, also for a path that leaves these folders by `..` or a symbolic link
 */
export async function locateModel(model: string, folders: ModelFolders, trusted: boolean): Promise<string> {
  if (model === '') {
    throw await notFound('Property "model" is empty.', folders);
  }
  if (model.startsWith(BUILTIN)) {
    const name = model.slice(BUILTIN.length);
    const path = /^[\w-][\w.-]*$/.test(name)
      ? await within(folders.builtin, join(folders.builtin, `${name}.onnx`))
      : undefined;
    return path ?? (await fail(`No model "${model}" ships with this package.`, folders));
  }
  if (!MODEL_FILE.test(model)) {
    return fail(`"${model}" is no model file: its name must end in .onnx or .ort.`, folders);
  }
  if (isAbsolute(model)) {
    if (trusted) {
      const path = await realpath(model).catch(() => undefined);
      return path ?? (await fail(`There is no file "${model}".`, folders));
    }
    return fail(`"${model}" is an absolute path: these can be set in the editor only.`, folders);
  }
  for (const [root, folder] of [
    [folders.userDir, folders.userDir],
    [folders.userDir, join(folders.userDir, 'models')],
    [folders.builtin, folders.builtin],
  ]) {
    const path = await within(root, join(folder, model));
    if (path !== undefined) {
      return path;
    }
  }
  return fail(`"${model}" is not in the user folder or its "models" folder.`, folders);
}

/** What can be entered as a model: the built-in ones, and those in the user folder's `models`. */
export async function availableModels({ userDir, builtin }: ModelFolders): Promise<string[]> {
  const shipped = (await modelFiles(builtin, '')).map((file) => BUILTIN + file.replace(MODEL_FILE, ''));
  const own = (await modelFiles(join(userDir, 'models'), '')).map((file) => `models/${file}`);
  return [...shipped, ...own].slice(0, MAX_LISTED);
}

/** The real path of a file, if it lies in the folder when every link in both is followed. */
export async function within(root: string, file: string): Promise<string | undefined> {
  try {
    const [realRoot, realFile] = await Promise.all([realpath(root), realpath(file)]);
    const inside = relative(realRoot, realFile);
    const leaves = inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside);
    return leaves ? undefined : realFile;
  } catch {
    return undefined;
  }
}

async function modelFiles(folder: string, prefix: string, depth = 0): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const files: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (files.length >= MAX_LISTED) {
      break;
    }
    if (entry.isDirectory() && depth < MAX_DEPTH) {
      files.push(...(await modelFiles(join(folder, entry.name), `${prefix}${entry.name}/`, depth + 1)));
    } else if (MODEL_FILE.test(entry.name)) {
      files.push(prefix + entry.name);
    }
  }
  return files;
}

async function fail(problem: string, folders: ModelFolders): Promise<never> {
  throw await notFound(problem, folders);
}

async function notFound(problem: string, folders: ModelFolders): Promise<EdgeError> {
  const available = await availableModels(folders);
  const list = available.length > 0 ? available.join(', ') : 'none yet';
  return new EdgeError(
    'MODEL_NOT_FOUND',
    `${problem} Put the model in the "models" folder of the Node-RED user folder and enter "models/<file>.onnx". Available: ${list}.`,
    { property: 'model', available },
  );
}
