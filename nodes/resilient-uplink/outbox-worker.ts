import { workerData } from 'node:worker_threads';
import { systemClock } from '../shared/clock';
import { EdgeError } from '../shared/errors';
import {
  explain,
  isDamage,
  isFull,
  isUnsynced,
  openDatabase,
  setAsideDatabase,
} from '../shared/store/sqlite';
import { serveWorker, Transferred } from '../shared/worker/serve-worker';
import { DiskReserve } from './disk-reserve';
import { OutboxStore } from './outbox';
import type { OutboxWorkerMethods } from './outbox-client';
import type { ReadResult, Usage } from './outbox-port';
import { OUTBOX_MIGRATIONS } from './outbox-schema';
import { pack, storedHead, unpack } from './packing';

const { path, deadLetterBytes } = workerData as { path: string; deadLetterBytes?: number };

const reserve = new DiskReserve(path);

let opened: { store: OutboxStore; checkpoint: () => void; close: () => void } | undefined;

/** Whether it was closed because nobody knows what of it is on the disk. */
let inDoubt = false;

function open(): { store: OutboxStore; setAside?: string } {
  const { database, setAside } = openDatabase(path, OUTBOX_MIGRATIONS);
  try {
    const store = new OutboxStore(
      database,
      systemClock,
      deadLetterBytes === undefined ? {} : { deadLetterBytes },
    );
    opened = {
      store,
      checkpoint: () => database.exec('PRAGMA wal_checkpoint(RESTART)'),
      close: () => database.close(),
    };
    reserve.keepBallast();
    return setAside === undefined ? { store } : { store, setAside };
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

/** Runs one method on the open store; a damaged file is closed and set aside, so that the next open starts anew. */
function using<T>(work: (store: OutboxStore) => T): T {
  try {
    return work((opened ?? reopen()).store);
  } catch (thrown) {
    if (isUnsynced(thrown)) {
      doubt();
    }
    if (!isDamage(thrown)) {
      throw explain(thrown, path);
    }
    opened?.close();
    opened = undefined;
    throw new EdgeError('CORRUPT', `${path} is damaged and was set aside.`, { file: setAsideDatabase(path) });
  }
}

/**
 * After a sync that failed the system takes what it could not write for written, and no later sync would tell. Only what
 * is written once more can be synced.
 */
function doubt(): void {
  inDoubt = true;
  try {
    opened?.close();
  } catch {
    // The disk still refuses; the log stays and is read by the next open.
  }
  opened = undefined;
}

/** Opens it again after a doubt, and writes all of its log into the database, synced, before anything else. */
function reopen(): { store: OutboxStore } {
  if (!inDoubt) {
    throw new EdgeError('STORE', 'The outbox is not open.');
  }
  const { store, setAside } = open();
  try {
    opened?.checkpoint();
  } catch (thrown) {
    doubt();
    throw thrown;
  }
  inDoubt = false;
  if (setAside !== undefined) {
    throw new EdgeError('CORRUPT', `${path} is damaged and was set aside.`, { file: setAside });
  }
  return { store };
}

/** Runs what deletes, on a disk without a byte left in the room that was kept for it. */
function deleting(work: () => void): void {
  try {
    work();
  } catch (thrown) {
    if (!isFull(thrown) || !reserve.giveUpBallast()) {
      throw thrown;
    }
    opened?.checkpoint();
    work();
  }
}

/** On a full disk what is free inside the file stays there for now. */
function shrink(store: OutboxStore): void {
  try {
    deleting(() => store.shrink());
  } catch (thrown) {
    if (!isFull(thrown)) {
      throw thrown;
    }
  }
}

function usageOf(store: OutboxStore): Usage {
  const shortage = reserve.shortage();
  return shortage ? { ...store.usage(), shortage } : store.usage();
}

function sending(result: ReadResult, more = {}): Transferred {
  const packed = pack(result.messages, storedHead);
  return new Transferred({ ...packed, corrupt: result.corrupt, more: result.more, ...more }, [
    packed.bodies.buffer,
  ]);
}

const methods = {
  open: () => {
    let result: { store: OutboxStore; setAside?: string };
    try {
      result = open();
    } catch (thrown) {
      if (!isDamage(thrown)) {
        throw thrown;
      }
      const file = setAsideDatabase(path);
      result = { ...open(), setAside: file };
    }
    const { store, setAside } = result;
    return {
      uuid: store.uuid,
      age: store.age(),
      usage: usageOf(store),
      ...(setAside !== undefined && { setAside }),
    };
  },
  append: (packed) => using((store) => ({ ...store.append(unpack(packed)), usage: usageOf(store) })),
  read: (request) => using((store) => sending(store.read(request))),
  topics: (request) => using((store) => store.topics(request)),
  settle: (settlement) =>
    using((store) => {
      deleting(() => store.settle(settlement));
      return usageOf(store);
    }),
  expired: (request) =>
    using((store) => {
      shrink(store);
      reserve.keepBallast();
      const usage = usageOf(store);
      return sending(store.expired(request), { usage });
    }),
  victims: (request) => using((store) => sending(store.victims(request))),
  ledger: (request) => using((store) => store.ledger(request)),
  publication: () => using((store) => store.publication()),
  notePublication: (note) => using((store) => store.notePublication(note)),
  requeue: (request) => using((store) => ({ ...store.requeue(request), usage: usageOf(store) })),
  deadLetters: (request) => using((store) => store.listDeadLetters(request)),
  close: () => {
    opened?.store.finish();
    opened?.close();
    opened = undefined;
  },
} satisfies Record<keyof OutboxWorkerMethods, (argument: never) => unknown> & {
  [K in keyof OutboxWorkerMethods]: (argument: Parameters<OutboxWorkerMethods[K]>[0]) => unknown;
};

serveWorker(methods);
