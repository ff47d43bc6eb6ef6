import type { NodeAPI } from 'node-red';
import { systemClock } from '../shared/clock';
import { outcomeOfCode, TEST_LIMIT_MS, type Outcome } from '../shared/dialog/connection-test';
import { registerConnectionTest } from '../shared/dialog/connection-test-endpoint';
import { toEdgeError } from '../shared/errors';
import { parseHttpConfig, type HttpConfig } from './config';
import { HttpSender } from './http-sender';

/** What a running `edge-http` tells the test. */
export interface DeployedDestination {
  url: URL;
}

/** `POST /edge/edge-http/test`: sends one HEAD request, which changes nothing. */
export function registerHttpTest(RED: NodeAPI): void {
  registerConnectionTest<HttpConfig, DeployedDestination>(RED, {
    type: 'edge-http',
    credentials: ['deviceKey', 'token', 'username', 'password'],
    parse: parseHttpConfig,
    isRunning: (node): node is DeployedDestination =>
      'connection' in node && 'url' in node && node.url instanceof URL,
    isDeployed: (config, running) => running.url.href === config.url.href,
    async tryOut(config, { credentials, tls }) {
      const sender = new HttpSender(
        { ...config, method: 'HEAD', timeoutMs: Math.min(config.timeoutMs, TEST_LIMIT_MS) },
        { ...credentials, addTls: tls() },
        systemClock,
      );
      const answer = await ask(sender);
      sender.close();
      return { ...answer, server: config.url.host };
    },
  });
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
