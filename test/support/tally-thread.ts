/**
 * A reader's thread without a broker, for the test of its tallies: hands over as many messages as it is told to, and says how
 * many it has heard the end of. Between that it wakes only when it is called.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { BatchSender } from '../../nodes/sensor-ingest/thread/batch-sender';
import { BatchTally, EndTally } from '../../nodes/sensor-ingest/thread/tallies';

const port = parentPort;
if (!port) {
  throw new Error('It runs in a worker thread only.');
}
const { batches, ends } = workerData as { batches: SharedArrayBuffer; ends: SharedArrayBuffer };
const settled = new EndTally(ends);
const sender = new BatchSender(setImmediate, new BatchTally(batches), ({ count }) =>
  port.postMessage({ count, heard: 0 }),
);

port.on('message', (order: number | 'look') => {
  if (order === 'look') {
    port.postMessage({ count: 0, heard: settled.hear() });
    sender.flush();
    return;
  }
  for (let left = order; left > 0; left--) {
    sender.add({ topic: 'line', qos: 1, retain: false, read: undefined, payload: undefined });
  }
});
