import type { NodeAPI } from 'node-red';
import { systemClock } from '../shared/clock';
import { answerWith } from '../shared/dialog/answer';
import {
  chooseCredentials,
  connectionTests,
  outcomeOfCode,
  TEST_LIMIT_MS,
  withoutIdentity,
  type ConnectionTest,
  type Outcome,
} from '../shared/dialog/connection-test';
import { parseDialogBody } from '../shared/dialog/request';
import { filledProperties } from '../shared/dialog/variables';
import { toEdgeError } from '../shared/errors';
import { tlsOf } from '../shared/tls';
import { parseHttpConfig } from './config';
import { HttpSender } from './http-sender';

/** What a running `edge-http` tells the test. */
export interface DeployedDestination {
  url: URL;
}

/**
 * `POST /edge/edge-http/test`: sends one HEAD request, which changes nothing, with the properties and the typed
 * credentials of the body. What is stored goes along only to the address that the running node has.
 */
export function registerHttpTest(RED: NodeAPI): void {
  RED.httpAdmin.post('/edge/edge-http/test', RED.auth.needsPermission('flows.write'), (request, response) => {
    answerWith(response, () => connectionTests.run(() => testDestination(RED, request.body)));
  });
}

async function testDestination(RED: NodeAPI, requestBody: unknown): Promise<ConnectionTest> {
  const body = parseDialogBody(requestBody);
  const config = parseHttpConfig(filledProperties(RED, body));
  const running = runningDestination(RED, body.node);
  const isDeployed = running?.url.href === config.url.href;
  const { credentials, used } = chooseCredentials(
    ['deviceKey', 'token', 'username', 'password'],
    body.credentials,
    running?.credentials ?? {},
    isDeployed,
  );
  const addTls = tlsOf(RED, config.tls);
  const sender = new HttpSender(
    { ...config, method: 'HEAD', timeoutMs: Math.min(config.timeoutMs, TEST_LIMIT_MS) },
    { ...credentials, addTls: isDeployed ? addTls : withoutIdentity(addTls) },
    systemClock,
  );
  const startedAt = systemClock.monotonic();
  const answer = await ask(sender);
  sender.close();
  return {
    ...answer,
    server: config.url.host,
    ms: Math.round(systemClock.monotonic() - startedAt),
    credentials: used,
  };
}

async function ask(sender: HttpSender): Promise<{ outcome: Outcome; detail: string }> {
  try {
    const { status } = await sender.send(new Uint8Array(0), {});
    return { outcome: outcomeOfStatus(status), detail: `HTTP ${status}` };
  } catch (thrown) {
    const { message, details } = toEdgeError(thrown);
    return { outcome: outcomeOfCode(details?.reason), detail: message };
  }
}

/** Many servers that take what is posted know no HEAD. */
export function outcomeOfStatus(status: number): Outcome {
  if (status >= 200 && status < 300) {
    return 'answered';
  }
  if (status >= 300 && status < 400) {
    return 'redirect';
  }
  return STATUSES[status] ?? (status >= 500 ? 'server' : 'unsure');
}

const STATUSES: Partial<Record<number, Outcome>> = {
  401: 'credentials',
  403: 'permission',
  408: 'busy',
  425: 'busy',
  429: 'busy',
  501: 'unsure',
  503: 'busy',
};

function runningDestination(
  RED: NodeAPI,
  id: string,
): (DeployedDestination & { credentials?: Record<string, unknown> }) | undefined {
  const node: unknown = id ? RED.nodes.getNode(id) : undefined;
  return typeof node === 'object' &&
    node !== null &&
    'connection' in node &&
    'url' in node &&
    node.url instanceof URL
    ? (node as DeployedDestination & { credentials?: Record<string, unknown> })
    : undefined;
}
