import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import type { IClientOptions, IPublishPacket, MqttClient } from 'mqtt';
import { MqttSource, type LinkState } from '../../../nodes/sensor-ingest/mqtt/mqtt-source';
import { Pacer } from '../../../nodes/sensor-ingest/mqtt/pacer';
import { FollowedMessage, hold } from '../../../nodes/shared/in-flight';
import { TestClock } from './support';

type Grant = { topic: string; qos: number };

/** As much of an MQTT client as the source uses. */
class FakeClient extends EventEmitter {
  options: Partial<IClientOptions> = {};
  handleMessage: (packet: IPublishPacket, callback: (error?: Error) => void) => void = () => undefined;
  grant: (filters: string[]) => Grant[] = (filters) => filters.map((topic) => ({ topic, qos: 1 }));
  subscriptions: string[][] = [];
  connected = true;
  sent: { cmd: string; messageId: number }[] = [];
  broken = 0;
  stream = { destroy: () => this.broken++, cork: () => undefined, uncork: () => undefined };

  get acknowledged(): string[] {
    return this.sent.map(({ cmd, messageId }) => `${cmd} ${messageId}`);
  }

  _sendPacket(packet: { cmd: string; messageId: number }): void {
    this.sent.push(packet);
  }

  subscribe(filters: string[], _options: object, done: (error: null, granted: Grant[]) => void): void {
    this.subscriptions.push(filters);
    done(null, this.grant(filters));
  }

  endAsync(): Promise<void> {
    return Promise.resolve();
  }
}

/** What a node of the suite does when it has done with a message that it held. */
function release(message: FollowedMessage): void {
  message.holds = 0;
  message.onMove?.();
}

function start(nextTurn: (action: () => void) => void = (action) => action(), qos: 0 | 1 | 2 = 0) {
  const client = new FakeClient();
  const handled: string[] = [];
  const states: LinkState[] = [];
  const warnings: string[] = [];
  const messages: FollowedMessage[] = [];
  /** Whether the flow takes its time over what it gets. */
  const flow = { slow: false };
  const forgotten: string[] = [];
  const deployment = { under: false, waiting: [] as (() => void)[] };
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
    nextTurn,
    later: () => undefined,
    afterDeployment: (action) => (deployment.under ? deployment.waiting.push(action) : action()),
    onMessage({ payload }, followed) {
      handled.push(String(payload));
      if (!followed) {
        return undefined;
      }
      const message = new FollowedMessage(`m${messages.length}`);
      message.holds = flow.slow ? 1 : 0;
      messages.push(message);
      return { message, forget: () => forgotten.push(String(payload)) };
    },
    onState: (state) => states.push(state),
    warn: (text) => warnings.push(text),
  });
  const deliver = (payload: string, messageId = 1): { acknowledged: boolean | Error } => {
    const result: { acknowledged: boolean | Error } = { acknowledged: false };
    const packet = { payload: Buffer.from(payload), qos, messageId } as IPublishPacket;
    client.options.customHandleAcks?.('', packet.payload as Buffer, packet, (refused) => {
      if (refused instanceof Error) {
        result.acknowledged = refused;
        client.emit('error', refused);
      }
    });
    if (qos < 2) {
      client.handleMessage(packet, (error) => {
        result.acknowledged = error ?? true;
      });
    }
    return result;
  };
  return { client, source, handled, states, warnings, messages, flow, forgotten, deployment, deliver };
}

test('a burst is handled in slices, with turns of the event loop in between', () => {
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
  client.emit('connect', { sessionPresent: true });
  client.emit('close');
  client.emit('connect', { sessionPresent: true });
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
  client.emit('connect', { sessionPresent: true });
  assert.equal(states.at(-1), 'refused');
  assert.match(warnings[0], /line refuses a\/#/);
  for (let i = 0; i < 5; i++) {
    client.emit('error', new Error('connect ECONNREFUSED'));
    client.emit('error', new Error('read ECONNRESET'));
  }
  assert.equal(warnings.length, 3);
});

/** A turn of the event loop when the test says so. */
function turns(): { next: (action: () => void) => void; run: (count: number) => void } {
  let waiting: (() => void)[] = [];
  return {
    next: (action) => waiting.push(action),
    run(count) {
      for (let i = 0; i < count; i++) {
        const actions = waiting;
        waiting = [];
        actions.forEach((action) => action());
      }
    },
  };
}

test('QoS 1 is acknowledged when the flow has done with the message, in the order of arrival', () => {
  const loop = turns();
  const { client, deliver, messages, flow } = start(loop.next, 1);
  flow.slow = true;
  deliver('a', 1);
  flow.slow = false;
  deliver('b', 2);
  loop.run(20);
  assert.deepEqual(client.acknowledged, [], 'the second waits for the first');
  release(messages[0]);
  loop.run(3);
  // Taken up by the next node of the suite on its way.
  messages[0].holds = 1;
  loop.run(20);
  assert.deepEqual(client.acknowledged, []);
  release(messages[0]);
  loop.run(20);
  assert.deepEqual(client.acknowledged, ['puback 1', 'puback 2']);
});

test('what was not acknowledged when the connection was lost is left to the broker to send again', () => {
  const loop = turns();
  const { client, deliver, messages, flow } = start(loop.next, 1);
  flow.slow = true;
  deliver('a', 7);
  client.emit('close');
  release(messages[0]);
  loop.run(20);
  assert.deepEqual(client.acknowledged, []);
  flow.slow = false;
  deliver('a', 7);
  loop.run(20);
  assert.equal(client.sent.length, 1);
});

test('QoS 2 is confirmed as received when the flow has done with the message', () => {
  const loop = turns();
  const { client, deliver, messages, flow, warnings } = start(loop.next, 2);
  flow.slow = true;
  const result = deliver('a', 5);
  loop.run(20);
  assert.ok(result.acknowledged instanceof Error, 'mqtt.js itself confirms nothing');
  assert.deepEqual(client.acknowledged, []);
  release(messages[0]);
  loop.run(20);
  assert.deepEqual(client.acknowledged, ['pubrec 5']);
  assert.deepEqual(warnings, []);
});

test('until it is released, a message of QoS 2 that comes again is confirmed and not taken twice', () => {
  const loop = turns();
  const { client, deliver, messages, flow, handled } = start(loop.next, 2);
  client.emit('connect', { sessionPresent: false });
  flow.slow = true;
  deliver('a', 5);
  client.emit('close');
  client.emit('connect', { sessionPresent: true });
  deliver('a', 5);
  loop.run(20);
  release(messages[0]);
  loop.run(20);
  assert.deepEqual(client.acknowledged, ['pubrec 5'], 'in the connection that is there now');
  deliver('a', 5);
  loop.run(20);
  assert.deepEqual(client.acknowledged, ['pubrec 5', 'pubrec 5']);
  client.emit('packetreceive', { cmd: 'pubrel', messageId: 5 });
  deliver('b', 5);
  client.emit('connect', { sessionPresent: false });
  deliver('c', 5);
  assert.deepEqual(handled, ['a', 'b', 'c']);
});

test('what the broker sends again while the flow still has it is acknowledged after the first', () => {
  const loop = turns();
  const { client, deliver, messages, flow } = start(loop.next, 1);
  flow.slow = true;
  deliver('a', 7);
  client.emit('close');
  client.emit('connect', { sessionPresent: true });
  flow.slow = false;
  // Refused as a duplicate, so nobody holds it.
  deliver('a', 8);
  loop.run(20);
  assert.deepEqual(client.acknowledged, []);
  release(messages[0]);
  loop.run(20);
  assert.deepEqual(client.acknowledged, ['puback 8'], 'under its number in this connection only');
});

test('what is read of a connection that has ended is not acknowledged in the next one', () => {
  const loop = turns();
  const { client, deliver, messages, flow } = start(loop.next, 1);
  client.emit('close');
  flow.slow = true;
  deliver('a', 7);
  client.emit('connect', { sessionPresent: true });
  release(messages[0]);
  loop.run(20);
  assert.deepEqual(client.acknowledged, []);
});

test('what a deployment loses is let in again, and sent again by the broker with all that follows', () => {
  const loop = turns();
  const { client, deliver, messages, forgotten, deployment } = start(loop.next, 1);
  deployment.under = true;
  deliver('waits', 9);
  assert.equal(messages.length, 0, 'while nodes may be missing nothing is handed on');
  deployment.under = false;
  deliver('a', 1);
  deliver('b', 2);
  deliver('c', 3);
  messages[1].lost = true;
  deployment.under = true;
  loop.run(20);
  assert.deepEqual(client.acknowledged, ['puback 1']);
  assert.deepEqual([forgotten, client.broken], [['b'], 0]);
  deployment.waiting.splice(1).forEach((action) => action());
  assert.equal(client.broken, 1);
  client.emit('close');
  client.emit('connect', { sessionPresent: true });
  deployment.under = false;
  deliver('b', 2);
  loop.run(20);
  assert.deepEqual(client.acknowledged, ['puback 1', 'puback 2']);
});

test('what the flow has not done with when the node closes is let in again', async () => {
  const { source, deliver, messages, flow, forgotten } = start(turns().next, 1);
  flow.slow = true;
  deliver('a', 3);
  await source.close();
  assert.deepEqual(forgotten, ['a']);
  assert.equal(messages[0].onMove, undefined);
});

test('a closing node acknowledges first what the flow is done with', async () => {
  const loop = turns();
  const { client, source, deliver } = start(loop.next, 1);
  deliver('a', 3);
  const closed = source.close();
  loop.run(20);
  await closed;
  assert.deepEqual(client.acknowledged, ['puback 3']);
});

test('while the flow has too much in hand, nothing more is read from the broker', () => {
  const { deliver } = start();
  const releases = Array.from({ length: 2000 }, (_, i) => hold(`busy ${i}`));
  const result = deliver('a');
  assert.equal(result.acknowledged, false);
  releases.pop()?.();
  assert.equal(result.acknowledged, true);
  releases.forEach((letGo) => letGo());
});
