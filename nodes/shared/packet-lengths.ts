import { createRequire } from 'node:module';
import { setImmediate } from 'node:timers/promises';

/** The lengths whose Buffers mqtt-packet keeps for ever, and how many are made in one go: about a millisecond of work. */
const KEPT = 16_384;
const SLICE = 256;
/** Of a PUBLISH with a topic of one character at QoS 0. */
const AROUND = 3;

type Write = (packet: object, stream: object) => boolean;

let begun: Promise<void> | undefined;

/**
 * Keeps MQTT.js from holding memory that nobody uses: it remembers the few bytes of each packet length that it ever
 * wrote, and Node.js cuts such small Buffers from shared chunks of 64 KB, so that every new length holds on to another
 * chunk, hundreds of MB in weeks of compressed batches. Written once one after the other, all lengths share three
 * chunks. Takes some 50 ms in small slices, once a process; never rejects.
 */
export function keepLengthsTogether(): Promise<void> {
  begun ??= writeAll();
  return begun;
}

async function writeAll(): Promise<void> {
  try {
    const { writeToStream } = createRequire(require.resolve('mqtt'))('mqtt-packet') as {
      writeToStream: Write;
    };
    const nowhere = { write: () => true, destroy: () => undefined };
    const zeros = Buffer.alloc(KEPT);
    for (let length = 0; length + AROUND < KEPT; length++) {
      writeToStream({ cmd: 'publish', topic: 't', payload: zeros.subarray(0, length) }, nowhere);
      if (length % SLICE === SLICE - 1) {
        await setImmediate();
      }
    }
  } catch {
    // Another version may be built otherwise: then it takes the memory that it takes.
  }
}
