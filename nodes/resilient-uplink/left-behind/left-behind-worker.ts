import { existsSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isDamage, openDatabase } from '../../shared/store/sqlite';
import { serveWorker, Transferred } from '../../shared/worker/serve-worker';
import { ballastOf } from '../disk-reserve';
import { OUTBOX_MIGRATIONS } from '../outbox-schema';
import type { LeftBehindMethods } from './left-behind-stores';
import { adoptedNames } from './store-folder';
import { exportPage, inUse, lookInto } from './store-look';

/** Renames a store's folder to the first of its new names that is free; gives the database's new path. */
function rename(path: string, adopter?: string): string {
  for (const folder of adoptedNames(path, adopter)) {
    if (!existsSync(folder)) {
      renameSync(dirname(path), folder);
      return join(folder, basename(path));
    }
  }
  throw new Error('unreachable');
}

/** Whether somebody has it open; a damaged one is nobody's. */
function isInUse(path: string): boolean {
  try {
    return lookInto(path) === undefined;
  } catch (thrown) {
    if (isDamage(thrown)) {
      return false;
    }
    throw thrown;
  }
}

const methods = {
  look: (path) => lookInto(path),
  exportPage: ({ path, position }) => {
    const page = exportPage(path, position);
    return new Transferred(page, [page.text.buffer as ArrayBuffer]);
  },
  claim: ({ path, adopter }) => {
    if (isInUse(path)) {
      throw inUse(path);
    }
    return rename(path, adopter);
  },
  setAside: (path) => {
    const { database } = openDatabase(path, OUTBOX_MIGRATIONS);
    try {
      database.exec('PRAGMA incremental_vacuum');
      rmSync(ballastOf(path), { force: true });
    } finally {
      database.close();
    }
    return rename(path);
  },
} satisfies Record<keyof LeftBehindMethods, (argument: never) => unknown> & {
  [K in keyof LeftBehindMethods]: (argument: Parameters<LeftBehindMethods[K]>[0]) => unknown;
};

serveWorker(methods);
