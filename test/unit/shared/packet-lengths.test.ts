import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { keepLengthsTogether } from '../../../nodes/shared/packet-lengths';
import { heldBytes } from '../../support/held-memory';

const { writeToStream } = createRequire(require.resolve('mqtt'))('mqtt-packet') as {
  writeToStream: (packet: object, stream: object) => boolean;
};

test('packets of ever new lengths do not hold on to the chunks that their lengths were cut from', async () => {
  await keepLengthsTogether();
  const nowhere = { write: () => true, destroy: assert.ifError };
  const before = heldBytes();
  for (let length = 0; length < 3000; length++) {
    // What else a gateway makes in the meantime, gone at once.
    Buffer.allocUnsafe(20_000);
    writeToStream({ cmd: 'publish', topic: 'telemetry', payload: Buffer.alloc(length) }, nowhere);
  }
  const more = heldBytes() - before;
  assert.ok(more < 5e6, `${more} bytes more`);
});
