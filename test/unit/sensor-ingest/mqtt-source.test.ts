import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import type { IClientOptions, IPublishPacket, MqttClient } from 'mqtt';
import { MqttSource, type LinkState } from '../../../nodes/sensor-ingest/mqtt/mqtt-source';
import { Pacer } from '../../../nodes/sensor-ingest/mqtt/pacer';
import { TestClock } from './support';

type Grant = { topic: string; qos: number };

/** As much of an MQTT client as the source uses. */
class FakeClient extends EventEmitter {
  options: Partial<IClientOptions> = {};
  handleMessage: (packet: IPublishPacket, callback: (error?: Error) => void) => void = () => undefined;
  grant: (filters: string[]) => Grant[] = (filters) => filters.map((topic) => ({ topic, qos: 1 }));
  subscriptions: string[][] = [];

  subscribe(filters: string[], _options: object, done: (error: null, granted: Grant[]) => void): void {
    this.subscriptions.push(filters);
    done(null, this.grant(filters));
  }

  endAsync(): Promise<void> {
    return Promise.resolve();
  }
}

function start(nextTurn: (action: () => void) => void = (action) => action()) {
  const client = new FakeClient();
  const handled: string[] = [];
  const states: LinkState[] = [];
  const warnings: string[] = [];
  const source = new MqttSource({
    broker: {
      kind: 'broker',
      id: 'b',
      name: 'line',
      protocolVersion: 5,
      connect: ({ mqtt }) => {
        client.options = mqtt ?? {};
        return client as unknown as MqttClient;
      },
    },
    nodeId: 'n',
    subscription: { broker: 'b', filters: ['a/#', 'b/+'], qos: 1 },
    maxBytes: 1000,
    pacer: new Pacer(new TestClock(), nextTurn),
    onMessage: ({ payload }) => handled.push(String(payload)),
    onState: (state) => states.push(state),
    warn: (text) => warnings.push(text),
  });
  const deliver = (payload: string): { acknowledged: boolean | Error } => {
    const result: { acknowledged: boolean | Error } = { acknowledged: false };
    client.handleMessage({ payload: Buffer.from(payload) } as IPublishPacket, (error) => {
      result.acknowledged = error ?? true;
    });
    return result;
  };
  return { client, source, handled, states, warnings, deliver };
}

test('a message is acknowledged only after it was handed on, and only when its turn has come', () => {
  const turns: (() => void)[] = [];
  const { handled, deliver } = start((action) => turns.push(action));
  const first = deliver('1');
  assert.deepEqual(handled, ['1']);
  assert.equal(first.acknowledged, false);
  turns.shift()?.();
  assert.equal(first.acknowledged, true);
  const slice = Array.from({ length: 64 }, (_, i) => deliver(String(i)));
  assert.equal(slice[62].acknowledged, true);
  assert.equal(slice[63].acknowledged, false, 'after 64 messages others have their turn');
  turns.shift()?.();
  assert.equal(slice[63].acknowledged, true);
});

test('what arrives while the node closes is neither handled nor acknowledged, so that it comes again', async () => {
  const { source, handled, deliver } = start();
  const closed = source.close();
  assert.ok(deliver('late').acknowledged instanceof Error);
  assert.deepEqual(handled, []);
  await closed;
});

test('every connection subscribes again, and shows how it stands', () => {
  const { client, states } = start();
  client.emit('connect');
  client.emit('close');
  client.emit('connect');
  assert.deepEqual(client.subscriptions, [
    ['a/#', 'b/+'],
    ['a/#', 'b/+'],
  ]);
  assert.deepEqual(states, ['connecting', 'listening', 'disconnected', 'listening']);
  assert.ok(Number(client.options.properties?.receiveMaximum) <= 100);
  assert.ok(Number(client.options.properties?.maximumPacketSize) > 1000);
});

test('a refused subscription and an unreachable broker are reported once each, and throw nothing', () => {
  const { client, states, warnings } = start();
  client.grant = (filters) => filters.map((topic, i) => ({ topic, qos: i === 0 ? 135 : 1 }));
  client.emit('connect');
  assert.equal(states.at(-1), 'refused');
  assert.match(warnings[0], /line refuses a\/#/);
  for (let i = 0; i < 5; i++) {
    client.emit('error', new Error('connect ECONNREFUSED'));
    client.emit('error', new Error('read ECONNRESET'));
  }
  assert.equal(warnings.length, 3);
});
