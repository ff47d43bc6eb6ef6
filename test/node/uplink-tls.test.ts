import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, test, type TestContext } from 'node:test';
import { Authority, type Identity } from '../support/certificates';
import { Mosquitto } from '../support/mosquitto';
import { TestRuntime, type FlowNode } from '../support/runtime';
import { needProgram } from '../support/tools';
import { flow, type Uplinked } from '../support/uplink-flow';

let runtime: TestRuntime;
let count = 0;
before(async () => {
  runtime = await TestRuntime.start();
});
after(() => runtime.stop());

/** A server that asks for client certificates, and the two authorities: its own and a stranger. */
interface World {
  own: Authority;
  stranger: Authority;
  connection: FlowNode;
  /** Serves from now on with another certificate. */
  serve(identity: Identity): Promise<void>;
}

function mqttWorld(t: TestContext): World | undefined {
  const authorities = twoAuthorities(t);
  const program = authorities && needProgram(t, 'mosquitto');
  if (!program) {
    return undefined;
  }
  let broker: Mosquitto | undefined;
  const stop = async (): Promise<void> => broker?.stop();
  t.after(stop);
  const world: World = {
    ...authorities,
    connection: { id: 'far', type: 'edge-broker', name: 'far', protocolVersion: '5', tls: 'tls' },
    async serve({ cert, key }) {
      await stop();
      broker = await Mosquitto.start(program, [
        `cafile ${authorities.own.ca}`,
        `certfile ${cert}`,
        `keyfile ${key}`,
        'require_certificate true',
        'use_identity_as_username true',
        'allow_anonymous true',
      ]);
      world.connection.url = `mqtts://127.0.0.1:${broker.port}`;
    },
  };
  return world;
}

function httpWorld(t: TestContext): World | undefined {
  const authorities = twoAuthorities(t);
  if (!authorities) {
    return undefined;
  }
  let server: Server | undefined;
  const stop = (): void => {
    server?.closeAllConnections();
    server?.close();
  };
  t.after(stop);
  const world: World = {
    ...authorities,
    connection: { id: 'far', type: 'edge-http', name: 'far', tls: 'tls' },
    async serve({ cert, key }) {
      stop();
      const [certificate, secret, ca] = [cert, key, authorities.own.ca].map((path) => readFileSync(path));
      const options = { cert: certificate, key: secret, ca, requestCert: true, rejectUnauthorized: true };
      server = createServer(options, (request, response) => {
        request.resume();
        request.on('end', () => response.writeHead(204).end());
      });
      server.on('tlsClientError', () => undefined);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      world.connection.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/in`;
    },
  };
  return world;
}

function twoAuthorities(t: TestContext): { own: Authority; stranger: Authority } | undefined {
  const openssl = needProgram(t, 'openssl');
  if (openssl === undefined) {
    return undefined;
  }
  const [own, stranger] = [new Authority(openssl), new Authority(openssl)];
  t.after(async () => {
    await runtime.deploy([]);
    own.remove();
    stranger.remove();
  });
  return { own, stranger };
}

function tlsConfig(ca: string, client?: Identity): FlowNode {
  return { id: 'tls', type: 'tls-config', verifyservercert: true, ca, ...client, certType: 'files' };
}

async function deploy({ connection }: World, tls: FlowNode): Promise<string> {
  const id = `tls${++count}`;
  runtime.logs.length = 0;
  await runtime.deploy([tls, ...flow(id, [{ ...connection }])]);
  runtime.inject(id, { topic: 'a', payload: 'm' });
  return id;
}

/** Node's own server hangs up on such a client without a word. */
const HANGS_UP = /If it asks for a client certificate, check the one/;

for (const [what, make, hangsUp] of [
  ['a broker', mqttWorld, false],
  ['an HTTPS server', httpWorld, true],
] as const) {
  test(`${what} that asks for client certificates, and what is said when one is wrong`, async (t) => {
    const world = make(t);
    if (!world) {
      return;
    }
    const { own, stranger } = world;
    const gateway = own.client('gateway');
    await world.serve(own.server());
    const good = await deploy(world, tlsConfig(own.ca, gateway));
    const [{ uplink }] = (await runtime.collect(`delivered-${good}`, 1)) as Uplinked[];
    assert.equal(uplink.connection, 'far');

    const wrong: [string, FlowNode, RegExp][] = [
      ['a CA that is not the server’s', tlsConfig(stranger.ca, gateway), /enter its CA in the TLS conf/],
      ['no client certificate', tlsConfig(own.ca), /asks for a client certificate: enter/],
      [
        'an expired client certificate',
        tlsConfig(own.ca, own.client('old', { expired: true })),
        hangsUp ? HANGS_UP : /client certificate has expired: renew it/,
      ],
      [
        'a stranger’s client certificate',
        tlsConfig(own.ca, stranger.client('who')),
        hangsUp ? HANGS_UP : /refuses the certificate in its TLS configuration: correct it/,
      ],
    ];
    for (const [problem, tls, text] of wrong) {
      await expectFault(await deploy(world, tls), problem, text);
    }

    await world.serve(own.server({ expired: true }));
    const expired = await deploy(world, tlsConfig(own.ca, gateway));
    await expectFault(expired, 'an expired server', /server's certificate has expired: renew it there/);
  });
}

/** The fault is logged, shown red and told by the endpoint, and the message is kept. */
async function expectFault(id: string, problem: string, text: RegExp): Promise<void> {
  const told = (): boolean => runtime.problems().some(({ msg }) => text.test(String(msg)));
  await runtime.until(told, `the log about ${problem}`).catch((error: unknown) => {
    assert.fail(`${String(error)}: ${JSON.stringify(runtime.problems())}`);
  });
  assert.equal(runtime.messages(`undeliverable-${id}`).length, 0);
  if (text === HANGS_UP) {
    return;
  }
  await runtime.until(() => runtime.status(id)?.fill === 'red', `red for ${problem}`);
  assert.match(runtime.status(id)?.text ?? '', /far refuses this client/);
  const answer = await fetch(`${runtime.url}/edge/resilient-uplink/${id}/connections`);
  const { connections } = (await answer.json()) as { connections: Record<string, unknown>[] };
  assert.equal(connections[0].credential, true, problem);
  assert.match(String(connections[0].error), text);
}

test('a TLS configuration whose files cannot be read is named', async () => {
  const broken = tlsConfig('/nowhere/ca.pem');
  await runtime.deploy([
    broken,
    ...flow('tls0', [{ id: 'far', type: 'edge-broker', url: 'mqtts://127.0.0.1:1', tls: 'tls' }]),
  ]);
  await runtime.until(
    () =>
      runtime
        .problems()
        .some(({ type, msg }) => type === 'edge-broker' && /"tls".*cannot be read/.test(String(msg))),
    'the problem',
  );
});
