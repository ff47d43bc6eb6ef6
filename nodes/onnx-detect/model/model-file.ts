import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { EdgeError } from '../../shared/errors';
import { parseCard, type ModelCard } from './card';
import { locateModel, within, type ModelFolders } from './locate';

/** A model as it lies on disk, verified. */
export interface ModelFile {
  /** File name without its ending. */
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the bytes, lower-case hex. */
  digest: string;
  card: ModelCard | undefined;
  /** Where it was read from. */
  path: string;
  /** Whether it ships with the package, as its card proves. */
  isBuiltin: boolean;
}

/** Which model is wanted. */
export interface ModelRequest {
  /** As in the contract: `builtin:<name>` or a path. */
  model: string;
  /** Expected SHA-256 in hex; empty = the card's, if it has one. */
  digest: string;
  /** Whether the request came from the editor, and not from a message. */
  trusted: boolean;
}

const MAX_MODEL_BYTES = 512 * 1024 * 1024;
const MAX_CARD_BYTES = 1024 * 1024;
// Hashing this much takes well under a millisecond of the main thread.
const CHUNK_BYTES = 256 * 1024;

/**
 * Reads a model and its card and checks the digest, a chunk at a time.
 * @throws EdgeError `MODEL_NOT_FOUND`, `MODEL_INVALID`, `MODEL_DIGEST`
 */
export async function readModel(request: ModelRequest, folders: ModelFolders): Promise<ModelFile> {
  const path = await locateModel(request.model, folders, request.trusted);
  const { bytes, digest } = await readHashed(path, request.model);
  expectDigest(digest, request.digest, 'Property "digest"');
  const card = await readCard(path);
  expectDigest(digest, card?.digest ?? '', 'The model card');
  const shipped = (await within(folders.builtin, path)) !== undefined && card?.digest === digest;
  return { name: basename(path).replace(/\.[^.]*$/, ''), bytes, digest, card, path, isBuiltin: shipped };
}

async function readHashed(
  path: string,
  model: string,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; digest: string }> {
  const file = await openFile(path);
  if (!file) {
    throw new EdgeError('MODEL_NOT_FOUND', `Property "model": "${model}" cannot be opened.`, {
      property: 'model',
    });
  }
  try {
    const bytes = await allocate(file, model);
    const hash = createHash('sha256');
    for (let at = 0; at < bytes.length;) {
      const { bytesRead } = await file.read(bytes, at, Math.min(CHUNK_BYTES, bytes.length - at));
      if (bytesRead === 0) {
        throw invalid(`"${model}" became shorter while it was read`);
      }
      hash.update(bytes.subarray(at, at + bytesRead));
      at += bytesRead;
    }
    return { bytes, digest: hash.digest('hex') };
  } finally {
    await file.close();
  }
}

async function allocate(file: FileHandle, model: string): Promise<Uint8Array<ArrayBuffer>> {
  const stat = await file.stat();
  if (!stat.isFile()) {
    throw invalid(`"${model}" is no regular file`);
  }
  if (stat.size === 0) {
    throw invalid(`"${model}" is empty`);
  }
  if (stat.size > MAX_MODEL_BYTES) {
    throw invalid(`"${model}" has ${stat.size} bytes; at most ${MAX_MODEL_BYTES} are loaded`);
  }
  return new Uint8Array(stat.size);
}

async function readCard(modelPath: string): Promise<ModelCard | undefined> {
  const found = await readCardText(modelPath);
  return found && parseCard(found.text, found.name);
}

/**
 * The model card beside a model, unread; undefined where there is none.
 * @throws EdgeError `MODEL_INVALID` for one that is too large, or no file
 */
export async function readCardText(
  modelPath: string,
  maxBytes = MAX_CARD_BYTES,
): Promise<{ name: string; text: string } | undefined> {
  const name = `${basename(modelPath).replace(/\.[^.]*$/, '')}.json`;
  const path = await within(dirname(modelPath), `${dirname(modelPath)}/${name}`);
  const file = path === undefined ? undefined : await openFile(path);
  if (!file) {
    return undefined;
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile() || stat.size > maxBytes) {
      throw invalid(`the card ${name} is no file of at most ${maxBytes} bytes`);
    }
    return { name, text: await file.readFile('utf8') };
  } finally {
    await file.close();
  }
}

/** Opens for reading; never blocks on a pipe, never follows a link that appeared after the path was checked. */
function openFile(path: string): Promise<FileHandle | undefined> {
  const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants;
  // Windows has neither flag.
  const flags =
    O_RDONLY | ((O_NONBLOCK as number | undefined) ?? 0) | ((O_NOFOLLOW as number | undefined) ?? 0);
  return open(path, flags).catch(() => undefined);
}

function expectDigest(actual: string, expected: string, where: string): void {
  if (expected !== '' && expected.toLowerCase() !== actual) {
    throw new EdgeError(
      'MODEL_DIGEST',
      `${where} expects a model with SHA-256 ${expected}, but the file has ${actual}. If the file is the one you mean, correct the digest; else copy the file again.`,
      { property: 'digest', expected, actual },
    );
  }
}

function invalid(problem: string): EdgeError {
  return new EdgeError('MODEL_INVALID', `Property "model": ${problem}. Copy the file again.`, {
    property: 'model',
  });
}
