import { connect } from 'mqtt';
import type { Clock } from '../nodes/shared/clock';
import { EdgeError, toEdgeError } from '../nodes/shared/errors';
import { endClient } from '../nodes/shared/mqtt-client';
import { isTopicFilter } from '../nodes/shared/topic';
import type { SampleMessage } from './sample';

export interface ListenOptions {
  url: string;
  topic: string;
  username?: string;
  password?: string;
  /** 4 for brokers that speak MQTT 3.1.1 only. */
  protocolVersion?: 4 | 5;
  milliseconds: number;
  clock: Clock;
  /** Ends it early, with what has come so far. */
  signal?: AbortSignal;
  /** The broker has the subscription. */
  listening(): void;
  received(message: SampleMessage): void;
}

/**
 * Listens to a broker for a while; changes nothing there: a clean session, quality of service 0, no retained messages.
 *
 * @returns how long it listened, s
 * @throws EdgeError `CONNECTION`, `TOPIC`
 */
export async function listen(options: ListenOptions): Promise<number> {
  const { url, topic, username, password, clock, protocolVersion = 5 } = options;
  if (!isTopicFilter(topic)) {
    throw new EdgeError(
      'TOPIC',
      `"${topic}" is no topic filter. Write one such as plant1/# or plant1/+/telemetry.`,
    );
  }
  const client = connect(url, {
    ...{ username, password, protocolVersion, reconnectPeriod: 0, connectTimeout: 10_000 },
  });
  try {
    await new Promise<void>((resolve, reject) => {
      client.once('connect', () => resolve());
      client.once('error', reject);
      client.once('close', () => reject(new Error('the broker closed the connection')));
    });
    client.on('message', (name, payload) => {
      options.received({ topic: name, payload, at: clock.now(), bytes: payload.length });
    });
    const [granted] = await client.subscribeAsync(topic, { qos: 0, ...(protocolVersion === 5 && { rh: 2 }) });
    if ((granted as typeof granted | undefined)?.qos === 128) {
      throw new Error(`the broker refuses to subscribe to "${topic}". Ask for the right to read it`);
    }
    const began = clock.monotonic();
    options.listening();
    await new Promise<void>((resolve, reject) => {
      client.once('close', () => reject(new Error('the broker closed the connection while listening')));
      const timer = setTimeout(resolve, options.milliseconds);
      options.signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });
    const seconds = (clock.monotonic() - began) / 1000;
    // Answered after everything that was on its way.
    await client.unsubscribeAsync(topic);
    return seconds;
  } catch (thrown) {
    const reason = toEdgeError(thrown).message;
    throw new EdgeError(
      'CONNECTION',
      `${withoutSecrets(url)}: ${reason}. Check the address and the user, that the broker runs, and that it speaks MQTT 5 (else --protocol 3.1.1).`,
    );
  } finally {
    client.removeAllListeners('message');
    client.on('error', () => undefined);
    await endClient(client);
  }
}

/** An address without the user and password in it. */
export function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//');
}
