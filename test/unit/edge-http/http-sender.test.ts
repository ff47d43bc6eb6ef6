import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';
import { parseHttpConfig } from '../../../nodes/edge-http/config';
import { HttpSender, parseRetryAfter } from '../../../nodes/edge-http/http-sender';
import { systemClock } from '../../../nodes/shared/clock';

let server: Server;
let answer: { status: number; headers?: Record<string, string> } | undefined;
let received: { request: IncomingMessage; body: string }[];

beforeEach(async () => {
  received = [];
  answer = { status: 204 };
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      received.push({ request, body });
      if (answer) {
        response.writeHead(answer.status, answer.headers).end('ignored');
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function sender(config: object = {}, secrets = {}): HttpSender {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/readings`;
  return new HttpSender(parseHttpConfig({ url, ...config }), secrets, systemClock);
}

test('a body arrives with the headers of the node, of the message and the credentials', async () => {
  const http = sender({ headers: [{ name: 'X-Site', value: 'plant1' }] }, { token: 't0k' });
  const reply = await http.send(Buffer.from('{"a":1}'), { 'idempotency-key': 'x:1' });
  http.close();
  assert.deepEqual(reply, { status: 204 });
  const [{ request, body }] = received;
  assert.equal(body, '{"a":1}');
  assert.equal(request.method, 'POST');
  assert.equal(request.headers['x-site'], 'plant1');
  assert.equal(request.headers['idempotency-key'], 'x:1');
  assert.equal(request.headers.authorization, 'Bearer t0k');
});

test('a bad request is told apart from nginx refusing the client certificate', async () => {
  const http = sender();
  const body = '<html><head><title>400 The SSL certificate error</title></head></html>';
  server.removeAllListeners('request').on('request', (_request, response) => {
    (response as ServerResponse).writeHead(400).end(body);
  });
  assert.deepEqual(await http.send(Buffer.from('x'), {}), { status: 400, certificateRefused: true });
  http.close();
});

test('user name and password are basic authentication', async () => {
  const http = sender({}, { username: 'u', password: 'p' });
  await http.send(Buffer.from(''), {});
  http.close();
  assert.equal(received[0].request.headers.authorization, `Basic ${Buffer.from('u:p').toString('base64')}`);
});

test('Retry-After is understood as seconds and as a date', async () => {
  answer = { status: 429, headers: { 'retry-after': '7' } };
  const http = sender();
  assert.deepEqual(await http.send(Buffer.from(''), {}), { status: 429, retryAfterMs: 7000 });
  http.close();
  assert.equal(parseRetryAfter('Thu, 01 Jan 1970 00:00:10 GMT', 4000), 6000);
  assert.equal(parseRetryAfter('soon', 0), undefined);
});

test('a kept-alive socket that the server closed meanwhile is no failure, one closed upon every request is', async () => {
  let requests = 0;
  let refuses = false;
  server.removeAllListeners('request').on('request', (request, response) => {
    requests++;
    if (refuses || (requests > 1 && request.socket === first)) {
      request.socket.destroy();
      return;
    }
    first ??= request.socket;
    request.resume();
    (response as ServerResponse).writeHead(204).end();
  });
  let first: IncomingMessage['socket'] | undefined;
  const http = sender();
  await http.send(Buffer.from('one'), {});
  assert.deepEqual(await http.send(Buffer.from('two'), {}), { status: 204 });
  assert.equal(requests, 3, 'sent once more, over a socket of its own');
  refuses = true;
  await assert.rejects(http.send(Buffer.from('three'), {}), {
    code: 'HTTP',
    details: { reason: 'ECONNRESET', closed: true },
  });
  assert.equal(requests, 4);
  http.close();
});

test('a server that does not answer is an error after the time-out', async () => {
  answer = undefined;
  const http = sender({ timeout: 0.1 });
  await assert.rejects(http.send(Buffer.from('x'), {}), /did not answer in 0\.1 s/);
  http.close();
});

test('a server that is not there is an error that names it', async () => {
  const http = sender();
  server.close();
  server.closeAllConnections();
  await assert.rejects(http.send(Buffer.from('x'), {}), /127\.0\.0\.1/);
  http.close();
});

test('addresses and headers that cannot be sent are refused', () => {
  for (const config of [
    { url: 'ftp://x' },
    { url: 'https://u:p@x' },
    { url: 'https://x', headers: [{ name: 'a b', value: '' }] },
    { url: 'https://x', headers: [{ name: 'a', value: 'b\r\nc: d' }] },
  ]) {
    assert.throws(() => parseHttpConfig(config), { code: 'CONFIG' }, JSON.stringify(config));
  }
});
