import { copyFile, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { filesToBackUp, type BackedUpFile } from '../shared/backups';
import { EdgeError, toEdgeError } from '../shared/errors';

/** What one backup holds. */
export interface BackupReport {
  folder: string;
  files: { file: string; bytes: number }[];
}

const FOLDER = 'edge-backups';
const KEPT = 5;
/** Small files beside the databases: identities, and the remote document in force. */
const SMALL = /^(gateway-id.*|remote-config-.*\.json)$/;

/**
 * Copies everything that must survive into a folder of its own under the user folder, while all of it is in use. The five
 * latest are kept. To restore one, stop Node-RED and put what is in it over the user folder.
 *
 * @throws EdgeError `STORE` when a file cannot be copied; nothing of that backup is kept
 */
export async function backUp(
  userDir: string,
  dataDirs: readonly string[],
  now: number,
  files: readonly BackedUpFile[] = filesToBackUp(),
): Promise<BackupReport> {
  const root = join(userDir, FOLDER);
  const folder = join(root, new Date(now).toISOString().replaceAll(':', '-'));
  try {
    await mkdir(folder, { recursive: true });
    const report: BackupReport = { folder, files: [] };
    const place = (path: string): string => join(folder, inside(userDir, path));
    for (const file of files) {
      await file.copyTo(place(file.path));
      report.files.push(await sizeOf(place(file.path), folder));
    }
    for (const path of await smallFiles(dataDirs)) {
      await mkdir(dirname(place(path)), { recursive: true });
      await copyFile(path, place(path));
      report.files.push(await sizeOf(place(path), folder));
    }
    await keepLatest(root);
    return report;
  } catch (thrown) {
    await rm(folder, { recursive: true, force: true });
    throw new EdgeError('STORE', `The backup was not made: ${toEdgeError(thrown).message}`);
  }
}

/** Where a file lies in a backup: as in the user folder, and by its whole path where it is outside of it. */
function inside(userDir: string, path: string): string {
  const place = relative(userDir, path);
  return place.startsWith('..') ? join('elsewhere', path) : place;
}

async function sizeOf(path: string, folder: string): Promise<{ file: string; bytes: number }> {
  return { file: relative(folder, path), bytes: (await stat(path)).size };
}

async function smallFiles(dataDirs: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    [...new Set(dataDirs)].map(async (folder) =>
      (await readdir(folder).catch(() => []))
        .filter((name) => SMALL.test(name))
        .map((name) => join(folder, name)),
    ),
  );
  return found.flat();
}

async function keepLatest(root: string): Promise<void> {
  const made = (await readdir(root)).sort();
  for (const name of made.slice(0, -KEPT)) {
    await rm(join(root, name), { recursive: true, force: true });
  }
}
