import { parentPort, type Transferable } from 'node:worker_threads';
import { EdgeError, toEdgeError } from '../errors';
import { CLOSE, type WorkerAnswer, type WorkerCall, type WorkerMethods } from './protocol';

/** Wraps a method's value to hand its buffers over instead of copying them. */
export class Transferred {
  constructor(
    readonly value: unknown,
    readonly transfer: Transferable[],
  ) {}
}

/** Answers the calls of a {@link WorkerClient} from inside the worker thread. */
export function serveWorker(methods: WorkerMethods): void {
  const port = parentPort;
  if (!port) {
    throw new Error('serveWorker runs in a worker thread only');
  }
  let running = 0;
  let closing = false;
  const finished = (): void => {
    running--;
    if (closing && running === 0) {
      port.close();
    }
  };
  const answer = (id: number, value: unknown): void => {
    if (value instanceof Transferred) {
      port.postMessage({ id, value: value.value } satisfies WorkerAnswer, value.transfer);
    } else {
      port.postMessage({ id, value } satisfies WorkerAnswer);
    }
  };
  const refuse = (id: number, thrown: unknown): void => {
    const { code, message, details } = toEdgeError(thrown);
    port.postMessage({
      id,
      error: details ? { code, message, details } : { code, message },
    } satisfies WorkerAnswer);
  };
  port.on('message', (call: WorkerCall | typeof CLOSE) => {
    running++;
    if (call === CLOSE) {
      closing = true;
      finished();
      return;
    }
    const { id, method, argument } = call;
    try {
      if (!Object.hasOwn(methods, method)) {
        throw new EdgeError('WORKER', `No method "${method}"`);
      }
      const result = methods[method](argument);
      if (result instanceof Promise) {
        result
          .then(
            (value: unknown) => answer(id, value),
            (thrown: unknown) => refuse(id, thrown),
          )
          .finally(finished);
        return;
      }
      answer(id, result);
    } catch (thrown) {
      refuse(id, thrown);
    }
    finished();
  });
}
