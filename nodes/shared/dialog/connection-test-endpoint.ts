import type { NodeAPI } from 'node-red';
import { systemClock } from '../clock';
import { tlsOf } from '../tls';
import { answerWith } from './answer';
import { chooseCredentials, connectionTests, withoutIdentity, type ConnectionTest } from './connection-test';
import { parseDialogBody } from './request';
import { filledProperties } from './variables';

/** What may be sent along to prove who this is. */
export interface TestSecrets {
  credentials: Record<string, string>;
  /** What the TLS configuration adds to connection options; throws `CONFIG` where there is none that runs. */
  tls: () => (options: object) => void;
}

/** A type of connection that a dialog can try. */
export interface TriedType<Config extends { tls: string }, Running extends object> {
  type: string;
  /** Names of its credentials. */
  credentials: readonly string[];
  /** Reads the dialog's properties; throws `CONFIG`. */
  parse(raw: unknown): Config;
  isRunning(node: object): node is Running;
  /** Whether the test goes only where the running node goes. */
  isDeployed(config: Config, running: Running): boolean;
  tryOut(
    config: Config,
    secrets: TestSecrets,
    running: Running | undefined,
  ): Promise<Pick<ConnectionTest, 'outcome' | 'server' | 'detail'>>;
}

/**
 * `POST /edge/<type>/test`: tries a connection with the properties and the typed credentials of the body. What is stored,
 * and what proves who this is by TLS, goes along only where the running node goes.
 */
export function registerConnectionTest<Config extends { tls: string }, Running extends object>(
  RED: NodeAPI,
  tried: TriedType<Config, Running>,
): void {
  RED.httpAdmin.post(
    `/edge/${tried.type}/test`,
    RED.auth.needsPermission('flows.write'),
    (request, response) => {
      answerWith(response, () => connectionTests.run(() => testConnection(RED, tried, request.body)));
    },
  );
}

async function testConnection<Config extends { tls: string }, Running extends object>(
  RED: NodeAPI,
  tried: TriedType<Config, Running>,
  requestBody: unknown,
): Promise<ConnectionTest> {
  const body = parseDialogBody(requestBody);
  const config = tried.parse(filledProperties(RED, body));
  const node: unknown = body.node ? RED.nodes.getNode(body.node) : undefined;
  const running = typeof node === 'object' && node !== null && tried.isRunning(node) ? node : undefined;
  const isDeployed = running !== undefined && tried.isDeployed(config, running);
  const { credentials, used } = chooseCredentials(
    tried.credentials,
    body.credentials,
    (running as { credentials?: Record<string, unknown> } | undefined)?.credentials ?? {},
    isDeployed,
  );
  const tls = (): ((options: object) => void) => {
    const addTls = tlsOf(RED, config.tls);
    return isDeployed ? addTls : withoutIdentity(addTls);
  };
  const startedAt = systemClock.monotonic();
  const result = await tried.tryOut(config, { credentials, tls }, running);
  return { ...result, ms: Math.round(systemClock.monotonic() - startedAt), credentials: used };
}
