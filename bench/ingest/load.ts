/**
 * A process that publishes waveforms as fast as it is allowed to: packets are made once and written as they
 * are, so that the load costs the measured side as little as possible. Orders and reports go over IPC.
 */
import { connect } from 'node:net';
import { generate } from 'mqtt-packet';
import { SeededRandom } from '../../nodes/shared/random';

/** What {@link startLoad}'s parent orders: how many windows may have been sent in all. */
export interface LoadOrder {
  allowed: number;
}

export interface LoadOptions {
  port: number;
  sources: number;
  samples: number;
  format: 'float32' | 'int16';
  qos: 0 | 1;
  seed: number;
}

/** Packets written at once. */
const BURST = 16;

function packets({ sources, samples, format, qos, seed }: LoadOptions): Buffer[] {
  const random = new SeededRandom(seed);
  const width = format === 'float32' ? 4 : 2;
  return Array.from({ length: sources }, (_, source) => {
    const payload = Buffer.alloc(samples * width);
    const tone = 1 + random.next() * 400;
    for (let i = 0; i < samples; i++) {
      const value = Math.sin((2 * Math.PI * tone * i) / samples) + 0.3 * random.normal();
      if (format === 'float32') {
        payload.writeFloatLE(value, i * 4);
      } else {
        payload.writeInt16LE(Math.round(value * 1000), i * 2);
      }
    }
    return generate({
      cmd: 'publish',
      topic: `plant1/m${source}/vibration`,
      payload,
      qos,
      messageId: 1 + (source % 65_535),
      dup: false,
      retain: false,
    });
  });
}

function main(options: LoadOptions): void {
  const all = packets(options);
  const starts: number[] = [0];
  for (const packet of all) {
    starts.push(starts[starts.length - 1] + packet.length);
  }
  const block = Buffer.concat(all);
  const socket = connect(options.port, '127.0.0.1');
  socket.setNoDelay(true);
  let allowed = 0;
  let sent = 0;
  let writable = false;
  const pump = (): void => {
    while (writable && sent < allowed) {
      const first = sent % all.length;
      const count = Math.min(BURST, allowed - sent, all.length - first);
      sent += count;
      writable = socket.write(block.subarray(starts[first], starts[first + count]));
    }
  };
  socket.on('drain', () => {
    writable = true;
    pump();
  });
  socket.once('data', () => {
    writable = true;
    process.send?.({ ready: true, bytes: block.length / all.length });
  });
  // Acknowledgements are of no interest, but have to be taken off the socket.
  socket.on('data', () => undefined);
  socket.on('close', () => process.exit(0));
  process.on('message', (order: LoadOrder) => {
    allowed = order.allowed;
    pump();
  });
  process.on('disconnect', () => process.exit(0));
  socket.write(
    generate({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clientId: 'load',
      clean: true,
      keepalive: 0,
    }),
  );
}

main(JSON.parse(process.argv[2]) as LoadOptions);
