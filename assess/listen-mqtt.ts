import { connect, type MqttClient } from 'mqtt';
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
  /** 5, and 4 (MQTT 3.1.1) for a broker that refuses it, when undefined. */
  protocolVersion?: 4 | 5;
  milliseconds: number;
  clock: Clock;
  /** Ends it early, with what has come so far. */
  signal?: AbortSignal;
  /** The broker has the subscription. */
  listening(): void;
  received(message: SampleMessage): void;
}

/** Reason codes of a refused connection for its protocol: that of MQTT 3.1.1, and that of 5. */
const UNKNOWN_PROTOCOL = new Set<unknown>([1, 132]);

/**
 * Listens to a broker for a while; changes nothing there: a clean session, quality of service 0, no retained messages.
 *
 * @returns how long it listened, s
 * @throws EdgeError `CONNECTION`, `TOPIC`
 */
export async function listen(options: ListenOptions): Promise<number> {
  const { url, topic, clock } = options;
  if (!isTopicFilter(topic)) {
    throw new EdgeError(
      'TOPIC',
      `"${topic}" is no topic filter. Write one such as plant1/# or plant1/+/telemetry.`,
    );
  }
  let client: MqttClient | undefined;
  try {
    const open = await connected(options);
    client = open;
    open.on('message', (name, payload) => {
      options.received({ topic: name, payload, at: clock.now(), bytes: payload.length });
    });
    const isNew = open.options.protocolVersion === 5;
    const [granted] = await open.subscribeAsync(topic, { qos: 0, ...(isNew && { rh: 2 }) });
    if ((granted as typeof granted | undefined)?.qos === 128) {
      throw new Error(`the broker refuses to subscribe to "${topic}". Ask for the right to read it`);
    }
    const began = clock.monotonic();
    options.listening();
    await new Promise<void>((resolve, reject) => {
      open.once('close', () => reject(new Error('the broker closed the connection while listening')));
      const timer = setTimeout(resolve, options.milliseconds);
      options.signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });
    const seconds = (clock.monotonic() - began) / 1000;
    // Answered after everything that was on its way.
    await open.unsubscribeAsync(topic);
    return seconds;
  } catch (thrown) {
    const reason = toEdgeError(thrown).message;
    throw new EdgeError(
      'CONNECTION',
      `${withoutSecrets(url)}: ${reason}. Check the address and the user, and that the broker runs.`,
    );
  } finally {
    if (client) {
      await letGo(client);
    }
  }
}

/** A connection in the protocol that was asked for, else in the newest that the broker takes. */
async function connected(options: ListenOptions): Promise<MqttClient> {
  try {
    return await connectedBy(options, options.protocolVersion ?? 5);
  } catch (thrown) {
    const { code } = thrown as { code?: unknown };
    if (options.protocolVersion !== undefined || !UNKNOWN_PROTOCOL.has(code)) {
      throw thrown;
    }
    return connectedBy(options, 4);
  }
}

async function connectedBy(
  { url, username, password }: ListenOptions,
  protocolVersion: 4 | 5,
): Promise<MqttClient> {
  const client = connect(url, {
    ...{ username, password, protocolVersion, reconnectPeriod: 0, connectTimeout: 10_000 },
  });
  try {
    await new Promise<void>((resolve, reject) => {
      client.once('connect', () => resolve());
      client.once('error', reject);
      client.once('close', () => reject(new Error('the broker closed the connection')));
    });
    return client;
  } catch (thrown) {
    await letGo(client);
    throw thrown;
  }
}

function letGo(client: MqttClient): Promise<void> {
  client.removeAllListeners('message');
  client.on('error', () => undefined);
  return endClient(client);
}

/** An address without the user and password in it. */
export function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//');
}
