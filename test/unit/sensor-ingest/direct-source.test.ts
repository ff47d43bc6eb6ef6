import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IPublishPacket, MqttClient } from 'mqtt';
import { parseIngestConfig, readingConfigOf } from '../../../nodes/sensor-ingest/config';
import { linkOptions } from '../../../nodes/sensor-ingest/mqtt/link-options';
import { Pacer } from '../../../nodes/sensor-ingest/mqtt/pacer';
import { FollowedMessage, hold } from '../../../nodes/shared/in-flight';
import { DirectSource } from '../../../nodes/sensor-ingest/thread/direct-source';
import type { LinkState } from '../../../nodes/sensor-ingest/thread/protocol';
import { FakeClient, TestThreads } from './reader-support';
import { TestClock } from './support';

/** What a node of the suite does when it has done with a message that it held. */
function release(message: FollowedMessage): void {
  message.holds = 0;
  message.onMove?.();
}

/** A node's end and its reader, who hear each other at once, around a client that the test plays. */
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
  const later: (() => void)[] = [];
  const threads = new TestThreads((options) => {
    client.options = options;
    return client as unknown as MqttClient;
  });
  const config = parseIngestConfig({
    ...{ source: 'mqtt', broker: 'b', topic: 'a/#\nb/+', maxBytes: 1000, sourceId: 's', sourceIdType: 'str' },
    timestamp: '',
  });
  const source = new DirectSource({
    attach: (listener) => threads.attach(listener),
    settings: () => ({
      config: readingConfigOf(config),
      broker: 'line',
      connection: linkOptions(config.maxBytes),
      wanted: { topic: undefined, all: true },
    }),
    renews: false,
    pacer: new Pacer(new TestClock(), nextTurn),
    nextTurn,
    later: (ms, action) => (ms < 100 ? nextTurn(action) : later.push(action)),
    afterDeployment: (action) => (deployment.under ? deployment.waiting.push(action) : action()),
    onDelivery({ payload }, followed) {
      const text = Buffer.from(payload ?? []).toString();
      handled.push(text);
      if (!followed) {
        return undefined;
      }
      const message = new FollowedMessage(`m${messages.length}`);
      message.holds = flow.slow ? 1 : 0;
      messages.push(message);
      return { message, forget: () => forgotten.push(text) };
    },
    onState: (state) => states.push(state),
    onFailed: (error) => warnings.push(error.message),
    warn: (text) => warnings.push(text),
  });
  const deliver = (payload: string, messageId = 1): { acknowledged: boolean | Error } => {
    const result: { acknowledged: boolean | Error } = { acknowledged: false };
    const packet = { topic: 'a/1', payload: Buffer.from(payload), qos, messageId } as IPublishPacket;
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
  return {
    ...{
      client,
      source,
      handled,
      states,
      warnings,
      messages,
      flow,
      forgotten,
      deployment,
      deliver,
      threads,
      later,
    },
  };
}

test('a burst is handled in slices, with turns of the event loop in between, and read no further ahead', () => {
  const turns: (() => void)[] = [];
  const { handled, deliver } = start((action) => turns.push(action));
  const run = (): void => turns.splice(0).forEach((action) => action());
  deliver('0');
  run();
  const burst = Array.from({ length: 300 }, (_, i) => deliver(String(i + 1)));
  assert.ok(handled.length < 100, `${handled.length} in one go`);
  const read = burst.filter(({ acknowledged }) => acknowledged).length;
  assert.ok(read < 200, `${read} read while ${handled.length} were handled`);
  for (let turn = 0; turn < 20; turn++) {
    run();
  }
  assert.deepEqual(
    handled,
    Array.from({ length: 301 }, (_, i) => String(i)),
    'in their order',
  );
  assert.ok(burst.every(({ acknowledged }) => acknowledged === true));
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
function turns(): {
  next: (action: () => void) => void;
  run: (count: number) => void;
  waiting: () => number;
} {
  let waiting: (() => void)[] = [];
  return {
    waiting: () => waiting.length,
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
  deployment.waiting.splice(0).forEach((action) => action());
  deliver('a', 1);
  deliver('b', 2);
  deliver('c', 3);
  loop.run(1);
  messages[2].lost = true;
  deployment.under = true;
  loop.run(20);
  assert.deepEqual(client.acknowledged, ['puback 9', 'puback 1']);
  assert.deepEqual([forgotten, client.broken], [['b'], 0]);
  deployment.waiting.splice(0).forEach((action) => action());
  assert.equal(client.broken, 1);
  client.emit('close');
  client.emit('connect', { sessionPresent: true });
  deployment.under = false;
  deliver('b', 2);
  loop.run(20);
  assert.deepEqual(client.acknowledged, ['puback 9', 'puback 1', 'puback 2']);
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
  const { deliver, handled } = start();
  const releases = Array.from({ length: 2000 }, (_, i) => hold(`busy ${i}`));
  const results = Array.from({ length: 300 }, () => deliver('a'));
  assert.equal(handled.length, 1);
  assert.equal(results.at(-1)?.acknowledged, false);
  releases.pop()?.();
  assert.ok(results.every(({ acknowledged }) => acknowledged === true));
  assert.equal(handled.length, 300);
  releases.forEach((letGo) => letGo());
});

test('a thread that ends is started again, and what it had under way is left to the broker to send again', () => {
  const loop = turns();
  const { client, deliver, messages, flow, states, warnings, threads, later, handled } = start(loop.next, 1);
  client.emit('connect', { sessionPresent: true });
  flow.slow = true;
  deliver('a', 7);
  threads.die();
  assert.equal(states.at(-1), 'disconnected');
  assert.match(warnings[0], /It is started again/);
  later.splice(0).forEach((action) => action());
  client.emit('connect', { sessionPresent: true });
  assert.equal(states.at(-1), 'listening');
  release(messages[0]);
  loop.run(20);
  assert.deepEqual(client.acknowledged, [], 'its number meant something in the connection before');
  flow.slow = false;
  deliver('a', 3);
  loop.run(20);
  assert.deepEqual([client.acknowledged, handled], [['puback 3'], ['a', 'a']]);
});

test('a node closes although its thread has ended', async () => {
  const { source, threads } = start();
  threads.die();
  await source.close();
});

test('a node whose thread is stuck closes all the same, and does not look for ever whether it was heard', async (context) => {
  const loop = turns();
  const { source, deliver, threads } = start(loop.next, 1);
  deliver('a', 3);
  threads.stuck = true;
  loop.run(20);
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const closed = source.close();
  await new Promise(setImmediate);
  context.mock.timers.tick(5000);
  await closed;
  loop.run(20);
  assert.equal(loop.waiting(), 0);
});
