import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import type { MqttClient } from 'mqtt';
import { probeServers } from '../../../nodes/edge-broker/probe';
import {
  chooseCredentials,
  outcomeOfCode,
  withoutIdentity,
} from '../../../nodes/shared/dialog/connection-test';
import { FakeClock } from '../../support/fake-clock';

const NAMES = ['username', 'password'];
const STORED = { username: 'u', password: 'p' };

test('what is stored goes to the deployed address only, and what was typed goes before it', () => {
  const choose = (typed: object, isDeployed: boolean) => chooseCredentials(NAMES, typed, STORED, isDeployed);
  assert.deepEqual(choose({}, true), { credentials: STORED, used: 'stored' });
  assert.deepEqual(choose({}, false), { credentials: {}, used: 'withheld' });
  assert.deepEqual(choose({ password: 'x' }, true), {
    credentials: { username: 'u', password: 'x' },
    used: 'typed',
  });
  assert.deepEqual(choose({ password: 'x' }, false), { credentials: { password: 'x' }, used: 'withheld' });
  assert.deepEqual(choose({ username: '', password: '' }, true), { credentials: {}, used: 'none' });
  assert.deepEqual(choose({ username: 'a', password: 'b' }, false).used, 'typed');
});

test('at another address TLS proves nothing about this client', () => {
  const options = {};
  withoutIdentity((target) => Object.assign(target, { key: 'k', cert: 'c', passphrase: 's', ca: 'a' }))(
    options,
  );
  assert.deepEqual(options, { ca: 'a' });
});

test('servers that say nothing share the time, and the first that accepts counts', async () => {
  const clock = new FakeClock();
  const ended: unknown[] = [];
  const silent = (): MqttClient =>
    Object.assign(new EventEmitter(), {
      end: (force: boolean) => ended.push(force),
    }) as unknown as MqttClient;
  const servers = ['a', 'b', 'c'].map((host) => ({ protocol: 'mqtt' as const, host, port: 1883, path: '' }));
  const timedOut = probeServers(servers, silent, clock, 9000);
  await clock.advance(8999);
  assert.equal(ended.length, 2);
  await clock.advance(1);
  assert.deepEqual(await timedOut, { outcome: 'timeout', server: 'a:1883' });
  assert.deepEqual(ended, [true, true, true]);
  const clients: EventEmitter[] = [];
  const second = probeServers(
    servers,
    () => {
      const client = silent();
      clients.push(client as unknown as EventEmitter);
      return client;
    },
    clock,
    9000,
  );
  await clock.advance(3000);
  clients[1].emit('connect');
  clients[1].emit('error', new Error('too late'));
  assert.deepEqual(await second, { outcome: 'connected', server: 'b:1883' });
});

test('system errors are told apart', () => {
  assert.equal(outcomeOfCode('DEPTH_ZERO_SELF_SIGNED_CERT'), 'tls');
  assert.equal(outcomeOfCode('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), 'tls');
  assert.equal(outcomeOfCode('EAI_AGAIN'), 'name');
  assert.equal(outcomeOfCode(undefined), 'failed');
});
