import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { EdgeError, toEdgeError } from '../errors';

export interface OpenedDatabase {
  database: DatabaseSync;
  /** Where a damaged predecessor was set aside, if there was one. */
  setAside?: string;
}

/**
 * Opens a SQLite file for one owner: WAL with `synchronous=FULL`, which survives power loss (WAL with NORMAL does
 * not), and an exclusive lock, so that a second process is refused instead of sharing it. A file that is no
 * database any more is set aside beside itself and replaced. Runs in worker threads only: it blocks.
 *
 * @param migrations SQL scripts; script `n` brings schema version `n` to `n + 1`.
 * @throws EdgeError `STORE` when node:sqlite is missing, the file is in use, or the disk refuses.
 */
export function openDatabase(path: string, migrations: readonly string[]): OpenedDatabase {
  try {
    return { database: openUndamaged(path, migrations) };
  } catch (thrown) {
    if (!isDamage(thrown)) {
      throw explain(thrown, path);
    }
    const setAside = nameForDamaged(path);
    moveDatabase(path, setAside);
    return { database: openAndMigrate(path, migrations), setAside };
  }
}

/** As {@link openDatabase}, but leaves a damaged file where it is and throws what {@link isDamage} or {@link isMisfit} knows. */
export function openUndamaged(path: string, migrations: readonly string[]): DatabaseSync {
  try {
    mkdirSync(dirname(path), { recursive: true });
    return openAndMigrate(path, migrations);
  } catch (thrown) {
    throw isDamage(thrown) || isMisfit(thrown) ? thrown : explain(thrown, path);
  }
}

/** What SQLite keeps beside a database. */
const COMPANIONS = ['-wal', '-shm'];
/** What is put between a database's name and the time when it was set aside. */
const DAMAGED = '.damaged-';

/** A name beside a database, for it to be set aside. */
export function nameForDamaged(path: string): string {
  let now = Date.now();
  while (existsSync(`${path}${DAMAGED}${now}`)) {
    now++;
  }
  return `${path}${DAMAGED}${now}`;
}

/** The databases that were set aside beside one, the oldest first. */
export function damagedBeside(path: string): string[] {
  const prefix = basename(path) + DAMAGED;
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .sort()
    .map((name) => join(dirname(path), name));
}

/**
 * Renames a database file, which must be closed, and its log. The database goes last: while it has its old name, all of
 * this can be done again.
 */
export function moveDatabase(path: string, to: string): void {
  for (const suffix of COMPANIONS) {
    if (existsSync(path + suffix)) {
      renameSync(path + suffix, to + suffix);
    }
  }
  renameSync(path, to);
}

/** Deletes a database file, which must be closed, and its log, as far as they are there. */
export function removeDatabase(path: string): void {
  for (const suffix of ['', ...COMPANIONS]) {
    rmSync(path + suffix, { force: true });
  }
}

/** Ends a failed transaction, which SQLite has ended by itself after some errors such as a full disk. */
export function rollback(database: DatabaseSync): void {
  try {
    database.exec('ROLLBACK');
  } catch {
    // None was open. Not every supported version of Node.js can tell beforehand.
  }
}

function openAndMigrate(path: string, migrations: readonly string[]): DatabaseSync {
  const { DatabaseSync } = loadSqlite();
  const database = new DatabaseSync(path);
  try {
    database.exec(
      'PRAGMA page_size=4096; PRAGMA locking_mode=EXCLUSIVE; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;',
    );
    const row = database.prepare('PRAGMA user_version').get() as { user_version: number };
    if (row.user_version > migrations.length) {
      throw new EdgeError(
        'STORE',
        `${path} was written by a newer version of this package. Install that version again.`,
      );
    }
    for (let version = row.user_version; version < migrations.length; version++) {
      database.exec(`BEGIN; ${migrations[version]}; PRAGMA user_version=${version + 1}; COMMIT;`);
    }
    return database;
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

/** @throws EdgeError `STORE` where Node.js has none */
export function loadSqlite(): typeof import('node:sqlite') {
  try {
    return process.getBuiltinModule('node:sqlite');
  } catch {
    throw new EdgeError('STORE', `Storing needs Node.js 22.13 or later; this is ${process.version}.`);
  }
}

/** SQLITE_CORRUPT (11) and SQLITE_NOTADB (26), also in their extended forms, and numbers that nobody has stored. */
export function isDamage(thrown: unknown): boolean {
  return (
    [11, 26].includes(primaryCode(thrown)) ||
    (thrown instanceof RangeError && 'code' in thrown && thrown.code === 'ERR_OUT_OF_RANGE')
  );
}

/** SQLITE_ERROR (1): a statement does not fit the tables. */
export function isMisfit(thrown: unknown): boolean {
  return sqliteCode(thrown) === 1;
}

/** SQLITE_FULL (13): the disk has no room. */
export function isFull(thrown: unknown): boolean {
  return primaryCode(thrown) === 13;
}

/** SQLITE_BUSY (5): somebody else has the file open. */
export function isBusy(thrown: unknown): boolean {
  return primaryCode(thrown) === 5;
}

/** SQLITE_IOERR_FSYNC and SQLITE_IOERR_DIR_FSYNC: what was written may not be on the disk. */
export function isUnsynced(thrown: unknown): boolean {
  return [1034, 1290].includes(sqliteCode(thrown) ?? 0);
}

/** SQLite's own number of an error without what extends it; 0 for other errors. */
function primaryCode(thrown: unknown): number {
  return (sqliteCode(thrown) ?? 0) & 0xff;
}

/** SQLite's own number of an error, in its extended form. */
function sqliteCode(thrown: unknown): number | undefined {
  return thrown instanceof Error && 'errcode' in thrown && typeof thrown.errcode === 'number'
    ? thrown.errcode
    : undefined;
}

/** What a database said, with its file and what to do about it; errors of our own stay as they are. */
export function explain(thrown: unknown, path: string): EdgeError {
  if (isBusy(thrown)) {
    return new EdgeError(
      'STORE',
      `${path} is in use by another process. Stop it, or set another data folder in the gateway.`,
    );
  }
  if (thrown instanceof EdgeError) {
    return thrown.code === 'STORE' ? thrown : new EdgeError('STORE', `${path}: ${thrown.message}`);
  }
  const reason = toEdgeError(thrown).message;
  return new EdgeError(
    'STORE',
    `${path} cannot be used: ${reason}. Check the disk, its free room and its permissions.`,
  );
}
