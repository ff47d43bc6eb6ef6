import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { Aedes } from 'aedes';
import type { ConnectionTest } from '../../nodes/shared/dialog/connection-test';
import { freePort } from '../support/mosquitto';
import { IotHub } from '../support/iot-hub';
import { TestRuntime } from '../support/runtime';

interface Login {
  client: string;
  username: string | undefined;
  password: string | undefined;
}

/** A broker that notes who logs in, and lets in only one password or, without one, everybody. */
async function recordingBroker(password?: string) {
  const logins: Login[] = [];
  let publishes = 0;
  const broker = await Aedes.createBroker({
    authenticate: (client, username, secret, done) => {
      logins.push({ client: client.id, username: username ?? undefined, password: secret?.toString() });
      done(null, password === undefined || secret?.toString() === password);
    },
    authorizePublish: (_client, _packet, done) => {
      publishes++;
      done(null);
    },
  });
  brokers.push(broker);
  const server = createServer((socket) => void broker.handle(socket)).listen(0, '127.0.0.1');
  server.unref();
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `mqtt://127.0.0.1:${port}`, logins, publishes: () => publishes };
}

async function recordingServer(status: number) {
  const requests: { method: string; headers: IncomingHttpHeaders }[] = [];
  const server: Server = createHttpServer((request, response) => {
    requests.push({ method: request.method ?? '', headers: request.headers });
    response.statusCode = status;
    response.end();
  });
  server.listen(0, '127.0.0.1');
  server.unref();
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`, requests };
}

let runtime: TestRuntime;
before(async () => {
  runtime = await TestRuntime.start();
});
const brokers: Aedes[] = [];
after(async () => {
  await runtime.stop();
  brokers.forEach((broker) => broker.close());
});

async function tryIt(
  type: string,
  body: object,
): Promise<{ status: number; answer: ConnectionTest & { code?: string } }> {
  const response = await fetch(`${runtime.url}/edge/${type}/test`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, answer: (await response.json()) as ConnectionTest & { code?: string } };
}

test('a broker is tried with what is stored at its own address, and at another only with what was typed', async () => {
  const own = await recordingBroker('secret');
  const other = await recordingBroker();
  const properties = { url: own.url, protocolVersion: '4' };
  await runtime.deploy([{ id: 'broker', type: 'edge-broker', ...properties }], {
    broker: { username: 'press', password: 'secret' },
  });
  const login = async (body: object): Promise<ConnectionTest> =>
    (await tryIt('edge-broker', { node: 'broker', ...body })).answer;

  const deployed = await login({ properties });
  assert.deepEqual([deployed.outcome, deployed.credentials], ['connected', 'stored']);
  assert.ok(deployed.ms < 5000);
  const moved = await login({ properties: { ...properties, url: other.url } });
  assert.deepEqual([moved.outcome, moved.credentials], ['connected', 'withheld']);
  // Half of the servers of a cluster being known is not enough.
  await login({ properties: { ...properties, url: `${other.url},${own.url}` } });
  assert.deepEqual(
    other.logins.map(({ username, password }) => [username, password]),
    [
      [undefined, undefined],
      [undefined, undefined],
    ],
  );
  const typed = await login({
    properties: { ...properties, url: other.url },
    credentials: { username: 'new', password: 'typed' },
  });
  assert.equal(typed.credentials, 'typed');
  assert.deepEqual([other.logins.at(-1)?.username, other.logins.at(-1)?.password], ['new', 'typed']);
  const wrong = await login({ properties, credentials: { password: 'wrong' } });
  assert.equal(wrong.outcome, 'credentials');
  const cleared = await login({ properties, credentials: { username: '', password: '' } });
  assert.deepEqual([cleared.outcome, cleared.credentials], ['credentials', 'none']);
  assert.equal(own.publishes() + other.publishes(), 0, 'nothing is published');
  assert.ok(
    [...own.logins, ...other.logins].every(({ client }) => client.includes('-test-')),
    'no session is taken over',
  );
});

test('an HTTP destination is asked with HEAD, and gets what is stored only at its own address', async () => {
  const own = await recordingServer(204);
  const other = await recordingServer(404);
  await runtime.deploy([{ id: 'web', type: 'edge-http', url: own.url }], { web: { token: 'stored-token' } });
  const answers: ConnectionTest[] = [];
  for (const body of [
    { properties: { url: own.url } },
    { properties: { url: other.url } },
    { properties: { url: own.url.replace('/in', '/elsewhere') } },
    { properties: { url: other.url }, credentials: { token: 'typed-token' } },
  ]) {
    answers.push((await tryIt('edge-http', { node: 'web', ...body })).answer);
  }
  assert.deepEqual(
    answers.map(({ outcome, credentials }) => [outcome, credentials]),
    [
      ['answered', 'stored'],
      ['unsure', 'withheld'],
      ['answered', 'withheld'],
      ['unsure', 'typed'],
    ],
  );
  const seen = [...own.requests, ...other.requests];
  assert.ok(seen.every(({ method }) => method === 'HEAD'));
  assert.deepEqual(
    seen.map(({ headers }) => headers.authorization),
    ['Bearer stored-token', undefined, undefined, 'Bearer typed-token'],
  );
});

test('what stands in the way is told, a node that is not deployed can be tried, and one test runs at a time', async () => {
  await runtime.deploy([]);
  const nobody = `127.0.0.1:${await freePort()}`;
  const url = `mqtt://${nobody}`;
  assert.equal((await tryIt('edge-broker', { node: 'new', properties: { url } })).answer.outcome, 'refused');
  const web = { node: 'new', properties: { url: `http://${nobody}/` } };
  assert.equal((await tryIt('edge-http', web)).answer.outcome, 'refused');
  const nameless = { node: 'new', properties: { url: 'mqtt://no-such-host.invalid' } };
  assert.equal((await tryIt('edge-broker', nameless)).answer.outcome, 'name');
  const plain = await recordingServer(204);
  const secure = { node: 'new', properties: { url: plain.url.replace('http:', 'https:') } };
  assert.equal((await tryIt('edge-http', secure)).answer.outcome, 'tls');
  const invalid = await tryIt('edge-broker', { node: 'new', properties: { url: 'nonsense' } });
  assert.deepEqual([invalid.status, invalid.answer.code], [400, 'CONFIG']);
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const mute = { url: `mqtt://127.0.0.1:${(silent.address() as AddressInfo).port}` };
  const first = tryIt('edge-broker', { node: 'new', properties: mute });
  const [socket] = (await once(silent, 'connection')) as [Socket];
  const second = await tryIt('edge-http', web);
  assert.deepEqual([second.status, second.answer.code], [503, 'BUSY']);
  socket.destroy();
  silent.close();
  assert.equal((await first).answer.outcome, 'closed');
});

test('a broker that allows one client a device keeps the connection that it has', async () => {
  const broker = await recordingBroker();
  const properties = { url: broker.url, protocolVersion: '4', clientId: 'device', shareClientId: true };
  await runtime.deploy([{ id: 'cloud', type: 'edge-broker', ...properties }]);
  const { answer } = await tryIt('edge-broker', { node: 'cloud', properties });
  assert.equal(answer.outcome, 'shared');
  assert.deepEqual(broker.logins, []);
});

test('a device key signs in where it was typed or is deployed, and signs nothing for another address', async (t) => {
  const KEY = Buffer.from('the key of the device').toString('base64');
  const device = { id: 'press7', key: KEY };
  const hub = await IotHub.start('127.0.0.1', device);
  t.after(() => hub.stop());
  const properties = { url: hub.url, protocolVersion: '4', clientId: device.id, shareClientId: true };
  const typed = await tryIt('edge-broker', { node: 'new', properties, credentials: { deviceKey: KEY } });
  assert.deepEqual([typed.answer.outcome, typed.answer.credentials], ['connected', 'typed']);
  assert.deepEqual(hub.refusals, []);
  const wrong = { deviceKey: Buffer.from('another key altogether').toString('base64') };
  const refused = await tryIt('edge-broker', { node: 'new', properties, credentials: wrong });
  assert.equal(refused.answer.outcome, 'credentials');
  const misfit = { ...properties, shareClientId: false };
  const invalid = await tryIt('edge-broker', {
    node: 'new',
    properties: misfit,
    credentials: { deviceKey: KEY },
  });
  assert.deepEqual([invalid.status, invalid.answer.code], [400, 'CONFIG']);

  const own = await recordingServer(204);
  const other = await recordingServer(204);
  const path = '/devices/press7/messages/events?api-version=2020-03-13';
  const [ownUrl, otherUrl] = [own, other].map(({ url }) => url.replace('/in', path));
  await runtime.deploy([{ id: 'device', type: 'edge-http', url: ownUrl }], { device: { deviceKey: KEY } });
  const answers: string[] = [];
  for (const body of [
    { properties: { url: ownUrl } },
    { properties: { url: otherUrl } },
    { properties: { url: otherUrl }, credentials: { deviceKey: KEY } },
  ]) {
    answers.push((await tryIt('edge-http', { node: 'device', ...body })).answer.credentials);
  }
  assert.deepEqual(answers, ['stored', 'withheld', 'typed']);
  const signed = [...own.requests, ...other.requests].map(
    ({ headers }) => headers.authorization?.split(' ')[0],
  );
  assert.deepEqual(signed, ['SharedAccessSignature', undefined, 'SharedAccessSignature']);
});
