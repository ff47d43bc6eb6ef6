import { existsSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import type { SeededRandom } from '../../nodes/shared/random';

const PAGE_BYTES = 4096;

/** Damages an outbox's files, which nobody has open; tells what it did. */
export type Damage = (path: string, random: SeededRandom) => string;

/** Damages to the database of an outbox that was closed in order. */
export const DATABASE_DAMAGES: Readonly<Record<string, Damage>> = {
  'one bit flipped': (path, random) => {
    const bytes = readFileSync(path);
    const at = random.int(bytes.length);
    const bit = random.int(8);
    bytes[at] ^= 1 << bit;
    writeFileSync(path, bytes);
    return `byte ${at}, bit ${bit}`;
  },
  'twenty bits flipped': (path, random) => {
    const bytes = readFileSync(path);
    const flipped = Array.from({ length: 20 }, () => random.int(bytes.length));
    flipped.forEach((at) => (bytes[at] ^= 1 << random.int(8)));
    writeFileSync(path, bytes);
    return `bytes ${flipped.join()}`;
  },
  'one page zeroed': (path, random) => overwrite(path, random.int(pagesOf(path)), 1, () => 0),
  'first page zeroed': (path) => overwrite(path, 0, 1, () => 0),
  '64 KB of noise': (path, random) =>
    overwrite(path, random.int(pagesOf(path) - 16), 16, () => random.int(256)),
  'cut at a random place': (path, random) => {
    const at = random.int(readFileSync(path).length);
    truncateSync(path, at);
    return `cut at ${at}`;
  },
};

/** Damages to the files of an outbox whose process was killed. */
export const LOG_DAMAGES: Readonly<Record<string, Damage>> = {
  'log: one bit flipped': (path, random) => DATABASE_DAMAGES['one bit flipped'](`${path}-wal`, random),
  'log: one page zeroed': (path, random) => DATABASE_DAMAGES['one page zeroed'](`${path}-wal`, random),
  'log: cut at a random place': (path, random) =>
    DATABASE_DAMAGES['cut at a random place'](`${path}-wal`, random),
  'log deleted': (path) => {
    rmSync(`${path}-wal`);
    return 'deleted';
  },
  'database emptied, log left': (path) => {
    truncateSync(path, 0);
    return 'emptied';
  },
};

/** Puts other files in the place of an outbox's database. */
export function replaceDatabase(path: string, other?: string): void {
  rmSync(path, { force: true });
  rmSync(`${path}-wal`, { force: true });
  if (other !== undefined && existsSync(other)) {
    renameSync(other, path);
  }
}

function pagesOf(path: string): number {
  return Math.max(1, Math.floor(readFileSync(path).length / PAGE_BYTES));
}

function overwrite(path: string, page: number, pages: number, byte: () => number): string {
  const bytes = readFileSync(path);
  const end = Math.min(bytes.length, (page + pages) * PAGE_BYTES);
  for (let at = page * PAGE_BYTES; at < end; at++) {
    bytes[at] = byte();
  }
  writeFileSync(path, bytes);
  return `page ${page + 1}`;
}
