import { workerData } from 'node:worker_threads';
import { systemClock } from '../shared/clock';
import { EdgeError, toEdgeError } from '../shared/errors';
import { explain, isDamage, isFull, isUnsynced } from '../shared/store/sqlite';
import { serveWorker, Transferred } from '../shared/worker/serve-worker';
import { DiskReserve } from './disk-reserve';
import type { OutboxStore } from './outbox';
import { OutboxFile } from './outbox-file';
import type { ReadResult, Usage } from './outbox-port';
import type { OutboxWorkerMethods } from './outbox-worker-methods';
import { pack, storedHead, unpack } from './packing';
import { lossText } from './store-loss';

const { path, deadLetterBytes } = workerData as { path: string; deadLetterBytes?: number };

const file = new OutboxFile(path, systemClock, deadLetterBytes === undefined ? {} : { deadLetterBytes });
const reserve = new DiskReserve(path);

let opened: OutboxStore | undefined;

/** Whether it was closed because nobody knows what of it is on the disk. */
let inDoubt = false;

/** Runs one method on the open store; a damaged file is closed and set aside, so that the next open salvages it. */
function using<T>(work: (store: OutboxStore) => T): T {
  const store = opened ?? reopen();
  try {
    return work(store);
  } catch (thrown) {
    if (isUnsynced(thrown)) {
      doubt();
    }
    if (!isDamage(thrown) && toEdgeError(thrown).code !== 'CORRUPT') {
      throw explain(thrown, path);
    }
    opened = undefined;
    throw damaged(file.setAside());
  }
}

function damaged(setAside?: string): EdgeError {
  const text = `${path} is damaged and was set aside.`;
  return new EdgeError('CORRUPT', text, setAside === undefined ? {} : { file: setAside });
}

/**
 * After a sync that failed the system takes what it could not write for written, and no later sync would tell. Only what
 * is written once more can be synced.
 */
function doubt(): void {
  inDoubt = true;
  opened = undefined;
  file.drop();
}

/** Opens it again after a doubt, and writes all of its log into the database, synced, before anything else. */
function reopen(): OutboxStore {
  if (!inDoubt) {
    throw new EdgeError('STORE', 'The outbox is not open.');
  }
  try {
    const result = file.open();
    if (!('store' in result)) {
      // Whoever opens it next salvages it.
      file.abandon();
      inDoubt = false;
      throw damaged();
    }
    file.checkpoint();
    opened = result.store;
    inDoubt = false;
    if (result.loss) {
      opened = undefined;
      file.close();
      throw new EdgeError('CORRUPT', lossText(result.loss, path), { loss: result.loss });
    }
    return result.store;
  } catch (thrown) {
    if (inDoubt) {
      doubt();
    }
    throw thrown instanceof EdgeError ? thrown : explain(thrown, path);
  }
}

/** Runs what deletes, on a disk without a byte left in the room that was kept for it. */
function deleting(work: () => void): void {
  try {
    work();
  } catch (thrown) {
    if (!isFull(thrown) || !reserve.giveUpBallast()) {
      throw thrown;
    }
    file.checkpoint();
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
    const result = file.open();
    if (!('store' in result)) {
      return { salvaging: result };
    }
    const { store, loss } = result;
    opened = store;
    reserve.keepBallast();
    return { uuid: store.uuid, age: store.age(), usage: usageOf(store), ...(loss && { loss }) };
  },
  append: (packed) =>
    using((store) => {
      file.reserve(packed.heads.length);
      const appended = store.append(unpack(packed));
      file.remember();
      return { ...appended, usage: usageOf(store) };
    }),
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
      file.remember();
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
  copyTo: (path: string) => using(() => file.copyTo(path)),
  close: () => {
    opened = undefined;
    file.close();
  },
} satisfies Record<keyof OutboxWorkerMethods, (argument: never) => unknown> & {
  [K in keyof OutboxWorkerMethods]: (argument: Parameters<OutboxWorkerMethods[K]>[0]) => unknown;
};

serveWorker(methods);
