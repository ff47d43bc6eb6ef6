import { workerData } from 'node:worker_threads';
import { serveWorker } from '../worker/serve-worker';
import { copyDatabase } from './copy-database';
import { openDatabase, rollback } from './sqlite';
import type { StateStoreMethods } from './state-store';

const MIGRATIONS = [
  'CREATE TABLE entry (namespace TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (namespace, key)) WITHOUT ROWID',
];

const { database, setAside } = openDatabase((workerData as { path: string }).path, MIGRATIONS);
const select = database.prepare('SELECT key, value FROM entry WHERE namespace = ?');
const upsert = database.prepare('INSERT OR REPLACE INTO entry (namespace, key, value) VALUES (?, ?, ?)');
const remove = database.prepare('DELETE FROM entry WHERE namespace = ? AND key = ?');

const methods: StateStoreMethods = {
  opened: () => (setAside === undefined ? {} : { setAside }),
  load: (namespace) => select.all(namespace) as unknown as { key: string; value: Uint8Array }[],
  write: (writes) => {
    database.exec('BEGIN IMMEDIATE');
    try {
      for (const { namespace, key, value } of writes) {
        if (value) {
          upsert.run(namespace, key, value);
        } else {
          remove.run(namespace, key);
        }
      }
      database.exec('COMMIT');
    } catch (thrown) {
      rollback(database);
      throw thrown;
    }
  },
  copyTo: (path) => copyDatabase(database, path),
  close: () => database.close(),
};

serveWorker(methods);
