import { parentPort } from 'node:worker_threads';
import { systemClock } from '../../shared/clock';
import { toEdgeError } from '../../shared/errors';
import { openClient } from '../../shared/mqtt-client';
import { systemRandom } from '../../shared/random';
import type { Addressed, ReaderOrder, ReaderReport } from './protocol';
import { Reader } from './reader';

const port = parentPort;
if (!port) {
  throw new Error('It runs in a worker thread only.');
}
const readers = new Map<number, Reader>();

port.on('message', ({ reader: number, content }: Addressed<ReaderOrder>) => {
  if (content.kind !== 'open') {
    readers.get(number)?.obey(content);
    return;
  }
  const report = (report: ReaderReport): void => {
    if (report.kind === 'closed') {
      readers.delete(number);
    }
    const transfer = report.kind === 'deliveries' ? [report.packed.numbers.buffer] : [];
    port.postMessage({ reader: number, content: report } satisfies Addressed<ReaderReport>, transfer);
  };
  try {
    const reader = new Reader(content, {
      clock: systemClock,
      random: systemRandom,
      connect: openClient,
      nextTurn: setImmediate,
      report,
    });
    readers.set(number, reader);
  } catch (thrown) {
    const { message } = toEdgeError(thrown);
    report({
      kind: 'failed',
      code: 'CONFIG',
      message: `The connection to "${content.settings.broker}" cannot be opened: ${message}. Check the certificate, the key and the CA of its TLS configuration.`,
    });
  }
});
