/**
 * The factory's machines in a process of their own. Packets are put together by hand and written to one socket, so that the
 * load costs the measured side as little as possible. Orders and reports go over IPC (protocol.ts).
 */
import { connect } from 'node:net';
import { generate } from 'mqtt-packet';
import { FactoryFloor } from './floor';
import { planIncidents } from './plan';
import {
  now,
  STREAMS,
  topicOf,
  type KeptReading,
  type LoadOptions,
  type LoadOrder,
  type LoadReport,
  type PerStream,
  type Stream,
} from './protocol';

const TICK_MS = 1;
const REPORT_MS = 20;
/** Messages of a stream in one tick when they go as fast as possible. */
const BURST = 200;
/** Publishing times of each machine's latest windows. */
const REMEMBERED = 512;
const PUBACK_BYTES = 4;

function main(options: LoadOptions): void {
  const { port, machines, seed, waveQos } = options;
  // Whoever asked may be gone already.
  const report = (what: LoadReport): void => void process.send?.(what, undefined, undefined, () => undefined);
  const floor = new FactoryFloor(machines, seed, {
    began: (incident) => report({ kind: 'began', incident: { ...incident, beganAt: now() } }),
    over: ({ id }) => report({ kind: 'over', id, at: now() }),
  });
  const sent: PerStream = { telemetry: 0, waves: 0 };
  const bytes: PerStream = { telemetry: 0, waves: 0 };
  const allowed: PerStream = { telemetry: 0, waves: 0 };
  let until: PerStream = { telemetry: 0, waves: 0 };
  let rates: PerStream = { telemetry: 0, waves: 0 };
  let base: PerStream = { ...sent };
  let began = now();
  let acknowledged = 0;
  let worstTick = 0;
  let lastTick = now();
  let messageId = 0;
  let breaking = false;
  const kept: KeptReading[] = [];
  const publishedAt = new Float64Array(machines * REMEMBERED);
  const waveHeads = Array.from({ length: machines }, (_, index) => waveHead(index));

  function waveHead(index: number): Buffer {
    // The packet without its payload; the length of the payload is the same for every window.
    const payload = floor.window(index);
    const packet = generate({
      cmd: 'publish',
      topic: topicOf(index, floor.idOf(index), 'waves'),
      payload,
      qos: waveQos,
      messageId: 1,
      dup: false,
      retain: false,
    });
    return packet.subarray(0, packet.length - payload.length);
  }

  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);

  const nextId = (): number => {
    messageId = (messageId % 65_535) + 1;
    return messageId;
  };

  function publishTelemetry(): void {
    const index = sent.telemetry % machines;
    const { topic, payload } = floor.step(index);
    if (!options.lockstep) {
      payload.ts = Math.floor(now());
    }
    const packet = generate({
      cmd: 'publish',
      topic,
      payload: JSON.stringify(payload),
      qos: 1,
      messageId: nextId(),
      dup: false,
      retain: false,
    });
    if (breaking && index < options.kept) {
      kept.push({ topic, payload: { ...payload } });
    }
    socket.write(packet);
    bytes.telemetry += packet.length;
    sent.telemetry++;
  }

  function publishWave(): void {
    const index = sent.waves % machines;
    const head = waveHeads[index];
    if (waveQos > 0) {
      head.writeUInt16BE(nextId(), head.length - 2);
    }
    const window = floor.window(index);
    const seq = Math.floor(sent.waves / machines);
    publishedAt[index * REMEMBERED + (seq % REMEMBERED)] = now();
    socket.write(Buffer.from(head));
    socket.write(window);
    bytes.waves += head.length + window.length;
    sent.waves++;
  }

  const publish: Record<Stream, () => void> = { telemetry: publishTelemetry, waves: publishWave };

  function tick(): void {
    const at = now();
    worstTick = Math.max(worstTick, at - lastTick - TICK_MS);
    lastTick = at;
    if (socket.writableNeedDrain) {
      return;
    }
    socket.cork();
    if (options.lockstep) {
      const end = Math.min(sent.waves + BURST, until.waves, allowed.waves, allowed.telemetry);
      while (sent.waves < end) {
        publishTelemetry();
        publishWave();
      }
    }
    for (const stream of options.lockstep ? [] : STREAMS) {
      const rate = rates[stream];
      const due = rate > 0 ? base[stream] + Math.floor(((at - began) / 1000) * rate) : sent[stream] + BURST;
      const end = Math.min(due, until[stream], allowed[stream]);
      while (sent[stream] < end) {
        publish[stream]();
      }
      if (rate > 0 && due > end && end === allowed[stream]) {
        // What the flow did not take in time is not sent in a burst later.
        base[stream] -= due - end;
      }
    }
    socket.uncork();
  }

  process.on('message', (order: LoadOrder) => {
    switch (order.kind) {
      case 'allow':
        Object.assign(allowed, order.allowed);
        break;
      case 'send':
        rates = order.rates;
        until = order.until;
        base = { ...sent };
        began = now();
        break;
      case 'break':
        breaking = true;
        floor.plan(planIncidents(seed, machines, order.seconds, order.perSecond));
        break;
      case 'when':
        report({
          kind: 'when',
          ask: order.ask,
          at: publishedAt[order.machine * REMEMBERED + (order.seq % REMEMBERED)],
        });
        break;
      case 'kept':
        report({ kind: 'kept', readings: kept });
        break;
    }
  });
  process.on('disconnect', () => process.exit(0));
  socket.on('close', () => process.exit(0));
  socket.once('data', () => {
    socket.on('data', (data) => (acknowledged += data.length / PUBACK_BYTES));
    setInterval(tick, TICK_MS);
    setInterval(() => {
      report({ kind: 'state', sent, bytes, acknowledged, loopBehindMs: worstTick });
      worstTick = 0;
    }, REPORT_MS);
    report({ kind: 'ready' });
  });
  socket.write(
    generate({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clientId: 'factory-load',
      clean: true,
      keepalive: 0,
    }),
  );
}

main(JSON.parse(process.argv[2]) as LoadOptions);
