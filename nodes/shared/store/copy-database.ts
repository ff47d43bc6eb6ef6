import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { loadSqlite } from './sqlite';

type Backup = (database: DatabaseSync, path: string) => Promise<unknown>;

/**
 * Copies a database that is in use, as it is at one moment, synced to disk on return. SQLite's own backup goes on in steps
 * while others write; Node.js before 22.16 has none, and there the copy is made in one go. Runs in worker threads.
 */
export async function copyDatabase(database: DatabaseSync, path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const { backup } = loadSqlite() as unknown as { backup?: Backup };
  if (backup) {
    await backup(database, path);
  } else {
    database.prepare('VACUUM INTO ?').run(path);
  }
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
