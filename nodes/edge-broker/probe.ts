import { ErrorWithReasonCode, type MqttClient } from 'mqtt';
import type { Clock } from '../shared/clock';
import { outcomeOfCode, type Outcome } from '../shared/dialog/connection-test';
import type { BrokerServer } from './config';

/** What came of trying a broker's servers. */
export interface Probe {
  outcome: Outcome;
  server: string;
  detail?: string;
}

/** Refusals of MQTT 3.1.1 (1–5) and MQTT 5 (128 and above). */
const REFUSALS: Partial<Record<number, Outcome>> = {
  1: 'protocol',
  2: 'clientId',
  3: 'busy',
  4: 'credentials',
  5: 'credentials',
  0x84: 'protocol',
  0x85: 'clientId',
  0x86: 'credentials',
  0x87: 'credentials',
  0x88: 'busy',
  0x89: 'busy',
  0x8a: 'permission',
  0x8c: 'credentials',
  0x97: 'busy',
  0x9f: 'busy',
};

/**
 * Connects to the servers one after another until one accepts, and leaves at once: nothing is published or subscribed
 * to. Tells of the server that accepted, else of the first one.
 *
 * @param connect opens a connection that does not come back by itself
 * @param limitMs for all of them together
 */
export async function probeServers(
  servers: readonly BrokerServer[],
  connect: (server: BrokerServer) => MqttClient,
  clock: Clock,
  limitMs: number,
): Promise<Probe> {
  const end = clock.monotonic() + limitMs;
  let first: Probe | undefined;
  for (const [index, server] of servers.entries()) {
    const share = (end - clock.monotonic()) / (servers.length - index);
    const probe = { ...(await probeOne(connect(server), clock, share)), server: nameOf(server) };
    if (probe.outcome === 'connected') {
      return probe;
    }
    first ??= probe;
  }
  return first ?? { outcome: 'failed', server: '' };
}

/** A server as a person is told of it. */
export function nameOf({ host, port }: BrokerServer): string {
  return `${host}:${port}`;
}

function probeOne(
  client: MqttClient,
  clock: Clock,
  limitMs: number,
): Promise<{ outcome: Outcome; detail?: string }> {
  return new Promise((resolve) => {
    const finish = (outcome: Outcome, detail?: string): void => {
      timer.cancel();
      client.end(outcome !== 'connected');
      resolve(detail ? { outcome, detail } : { outcome });
    };
    const timer = clock.after(limitMs, () => finish('timeout'));
    client.on('connect', () => finish('connected'));
    // Stays, as an error may come late; a promise is resolved once only.
    client.on('error', (error) => finish(outcomeOf(error), error.message || undefined));
    client.on('close', () => finish('closed'));
  });
}

function outcomeOf(error: Error): Outcome {
  if (error instanceof ErrorWithReasonCode) {
    return REFUSALS[error.code] ?? 'failed';
  }
  return outcomeOfCode((error as NodeJS.ErrnoException).code);
}
