import { workerData } from 'node:worker_threads';
import { systemClock } from '../shared/clock';
import { EdgeError, toEdgeError } from '../shared/errors';
import { isDamage } from '../shared/store/sqlite';
import { serveWorker, Transferred } from '../shared/worker/serve-worker';
import type { OutboxStore } from './outbox';
import type { OutboxWorkerMethods } from './outbox-client';
import { OutboxFile } from './outbox-file';
import type { ReadResult } from './outbox-port';
import { pack, storedHead, unpack } from './packing';

const { path, deadLetterBytes } = workerData as { path: string; deadLetterBytes?: number };

const file = new OutboxFile(path, systemClock, deadLetterBytes === undefined ? {} : { deadLetterBytes });

let opened: OutboxStore | undefined;

/** Runs one method on the open store; a damaged file is closed and set aside, so that the next open salvages it. */
function using<T>(work: (store: OutboxStore) => T): T {
  if (!opened) {
    throw new EdgeError('STORE', 'The outbox is not open.');
  }
  try {
    return work(opened);
  } catch (thrown) {
    if (!isDamage(thrown) && toEdgeError(thrown).code !== 'CORRUPT') {
      throw thrown;
    }
    opened = undefined;
    throw new EdgeError('CORRUPT', `${path} is damaged and was set aside.`, { file: file.setAside() });
  }
}

function sending(result: ReadResult): Transferred {
  const packed = pack(result.messages, storedHead);
  return new Transferred({ ...packed, corrupt: result.corrupt, more: result.more }, [packed.bodies.buffer]);
}

const methods = {
  open: () => {
    const result = file.open();
    if (!('store' in result)) {
      return { salvaging: result };
    }
    const { store, loss } = result;
    opened = store;
    return { uuid: store.uuid, age: store.age(), usage: store.usage(), ...(loss && { loss }) };
  },
  append: (packed) =>
    using((store) => {
      file.reserve(packed.heads.length);
      const appended = store.append(unpack(packed));
      file.remember();
      return { ...appended, usage: store.usage() };
    }),
  read: (request) => using((store) => sending(store.read(request))),
  topics: (request) => using((store) => store.topics(request)),
  settle: (settlement) =>
    using((store) => {
      store.settle(settlement);
      return store.usage();
    }),
  expired: (request) =>
    using((store) => {
      store.shrink();
      file.remember();
      return sending(store.expired(request));
    }),
  victims: (request) => using((store) => sending(store.victims(request))),
  ledger: (request) => using((store) => store.ledger(request)),
  publication: () => using((store) => store.publication()),
  notePublication: (note) => using((store) => store.notePublication(note)),
  requeue: (request) => using((store) => ({ ...store.requeue(request), usage: store.usage() })),
  deadLetters: (request) => using((store) => store.listDeadLetters(request)),
  close: () => {
    opened = undefined;
    file.close();
  },
} satisfies Record<keyof OutboxWorkerMethods, (argument: never) => unknown> & {
  [K in keyof OutboxWorkerMethods]: (argument: Parameters<OutboxWorkerMethods[K]>[0]) => unknown;
};

serveWorker(methods);
