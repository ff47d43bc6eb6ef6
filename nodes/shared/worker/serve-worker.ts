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

/** What calls come in and answers go out by. */
interface Channel {
  send(answer: WorkerAnswer, transfer: Transferable[]): void;
  onCall(listener: (call: WorkerCall | typeof CLOSE) => void): void;
  close(): void;
}

/** Answers the calls of a `WorkerClient` from inside the worker thread. */
export function serveWorker(methods: WorkerMethods): void {
  const port = parentPort;
  if (!port) {
    throw new Error('serveWorker runs in a worker thread only');
  }
  serve(methods, {
    send: (answer, transfer) => port.postMessage(answer, transfer),
    onCall: (listener) => port.on('message', listener),
    close: () => port.close(),
  });
}

/** Answers the calls of a `ProcessClient` from inside the child process. */
export function serveProcess(methods: WorkerMethods): void {
  serve(methods, {
    send: (answer) => void process.send?.(answer),
    onCall: (listener) => process.on('message', (call) => listener(call as WorkerCall)),
    close: () => process.disconnect(),
  });
}

function serve(methods: WorkerMethods, channel: Channel): void {
  let running = 0;
  let closing = false;
  const finished = (): void => {
    running--;
    if (closing && running === 0) {
      channel.close();
    }
  };
  const answer = (id: number, value: unknown): void => {
    if (value instanceof Transferred) {
      channel.send({ id, value: value.value }, value.transfer);
    } else {
      channel.send({ id, value }, []);
    }
  };
  const refuse = (id: number, thrown: unknown): void => {
    const { code, message, details } = toEdgeError(thrown);
    channel.send({ id, error: details ? { code, message, details } : { code, message } }, []);
  };
  channel.onCall((call) => {
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
