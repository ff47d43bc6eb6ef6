import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientOptions } from '../../../nodes/edge-broker/client-options';
import { parseBrokerConfig } from '../../../nodes/edge-broker/config';

const machineId = '0123456789abcdef';

test('each node has a client id of its own that stays the same', () => {
  const config = parseBrokerConfig({ url: 'mqtt://broker' });
  const id = (nodeId: string): string | undefined =>
    clientOptions(config, { machineId }, { nodeId }).clientId;
  assert.equal(id('a1'), 'edge-01234567-a1');
  assert.notEqual(id('a1'), id('b2'));
  const named = parseBrokerConfig({ url: 'mqtt://broker', clientId: 'press' });
  assert.equal(clientOptions(named, { machineId }, { nodeId: 'a1' }).clientId, 'press-a1');
});

test('a cloud that allows one client a device gets the client id as it is', () => {
  const config = parseBrokerConfig({ url: 'mqtts://cloud', clientId: 'device-1', shareClientId: true });
  assert.equal(clientOptions(config, { machineId }, { nodeId: 'a1' }).clientId, 'device-1');
  assert.throws(() => parseBrokerConfig({ url: 'mqtts://cloud', shareClientId: true }), { code: 'CONFIG' });
});

test('a cluster is a list of servers with the ports of their protocols', () => {
  const config = parseBrokerConfig({ url: 'mqtt://a, mqtt://b:1884 ,mqtts://c' });
  assert.deepEqual(
    config.servers.map(({ host, port }) => `${host}:${port}`),
    ['a:1883', 'b:1884', 'c:8883'],
  );
});

test('whoever reconnects by itself goes round the servers of a cluster', () => {
  const config = parseBrokerConfig({ url: 'ws://a/one,ws://b/two' });
  const firsts = [0, 1, 2].map((firstServer) => {
    const { servers, path } = clientOptions(config, { machineId }, { nodeId: 'n', firstServer });
    return `${servers?.[0].host}${path}`;
  });
  assert.deepEqual(firsts, ['a/one', 'b/two', 'a/one']);
});

test('the session is kept over restarts unless a clean start is asked for', () => {
  const kept = clientOptions(parseBrokerConfig({ url: 'mqtt://a' }), { machineId }, { nodeId: 'n' });
  assert.equal(kept.clean, false);
  assert.equal(kept.properties?.sessionExpiryInterval, 86400);
  const clean = clientOptions(
    parseBrokerConfig({ url: 'mqtt://a', cleanStart: true }),
    { machineId },
    { nodeId: 'n' },
  );
  assert.equal(clean.clean, true);
  const old = clientOptions(
    parseBrokerConfig({ url: 'mqtt://a', protocolVersion: '4' }),
    { machineId },
    { nodeId: 'n', mqtt: { properties: { receiveMaximum: 10 } } },
  );
  assert.equal(old.properties, undefined);
});

test('addresses that cannot be read are refused, and a password in one is not repeated', () => {
  for (const url of ['', 'broker', 'http://broker', 'mqtt://', 'mqtt://a,nonsense']) {
    assert.throws(() => parseBrokerConfig({ url }), { code: 'CONFIG' }, url);
  }
  assert.throws(
    () => parseBrokerConfig({ url: 'mqtt://user:secret@host' }),
    (error: Error) => !error.message.includes('secret'),
  );
});
