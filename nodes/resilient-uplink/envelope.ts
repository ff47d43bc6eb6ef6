import { EdgeError } from '../shared/errors';
import type { EdgeMessage } from '../shared/messages';
import { isPublishableTopic } from '../shared/topic';
import { PRIORITIES, type BodyKind, type NewMessage, type Priority, type StoredMessage } from './outbox-port';
import { redact, type Redaction } from './redaction';

/** How messages become what is stored and sent. */
export interface EnvelopeConfig extends Redaction {
  topic: string;
  content: 'payload' | 'message';
  priority: 'auto' | Priority;
  ttlMs: number;
  gatewayId: string;
  site: string;
  /** Bytes of the largest body. */
  maxBytes: number;
}

const CARRIED = ['topic', 'payload', 'reading', 'detection', 'detections', 'state'] as const;

/**
 * Makes what is stored and sent of a message; the message is not changed.
 *
 * @throws EdgeError `TOPIC`, `TOO_LARGE` or `UNSERIALISABLE`
 */
export function envelopeOf(msg: EdgeMessage, config: EnvelopeConfig): NewMessage {
  const sent = config.drop.length + config.hash.length > 0 ? redact(msg, config) : msg;
  const priority = priorityOf(sent, config.priority);
  const topic = topicOf(sent, priority, config);
  const { kind, body } = config.content === 'payload' ? payloadBody(sent.payload) : messageBody(sent);
  if (body.byteLength > config.maxBytes) {
    throw new EdgeError(
      'TOO_LARGE',
      `msg.payload makes ${body.byteLength} bytes; the largest message is ${Math.floor(config.maxBytes)}. Send it in parts.`,
    );
  }
  return {
    priority: PRIORITIES.indexOf(priority),
    topic,
    kind,
    body,
    ttlMs: ttlOf(sent, config.ttlMs),
    origin: msg,
  };
}

/**
 * The message as far as it was stored, for what is sent on after a restart: topic as published, and the payload, or
 * everything that content `message` carries.
 */
export function rebuild({ topic, kind, body }: StoredMessage): EdgeMessage {
  const bytes = Buffer.from(body);
  if (kind === 'binary') {
    return { _msgid: '', topic, payload: bytes };
  }
  const text = bytes.toString();
  if (kind === 'text') {
    return { _msgid: '', topic, payload: text };
  }
  try {
    const value: unknown = JSON.parse(text);
    return kind === 'message'
      ? { _msgid: '', topic, ...(value as object) }
      : { _msgid: '', topic, payload: value };
  } catch {
    return { _msgid: '', topic, payload: text };
  }
}

/** The bytes that go over a connection: a stored content `message` gets its id. */
export function wireBody(kind: BodyKind, body: Uint8Array, id: string): Buffer {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return kind === 'message'
    ? Buffer.concat([Buffer.from(`{"id":${JSON.stringify(id)},`), bytes.subarray(1)])
    : bytes;
}

function priorityOf(msg: EdgeMessage, configured: 'auto' | Priority): Priority {
  if (configured !== 'auto') {
    return configured;
  }
  const asked = (msg as { priority?: unknown }).priority;
  const known = PRIORITIES.find((priority) => priority === asked);
  if (known) {
    return known;
  }
  const { detection, detections } = msg as { detection?: unknown; detections?: unknown };
  const all: unknown[] = [detection, ...(Array.isArray(detections) ? (detections as unknown[]) : [])].flat();
  return all.some(isFinding) ? 'alert' : 'normal';
}

function isFinding(detection: unknown): boolean {
  return (
    typeof detection === 'object' && detection !== null && 'kind' in detection && Boolean(detection.kind)
  );
}

function topicOf(msg: EdgeMessage, priority: Priority, config: EnvelopeConfig): string {
  const own = typeof msg.topic === 'string' ? msg.topic : '';
  if (!own && config.topic.includes('{topic}')) {
    throw new EdgeError('TOPIC', 'msg.topic is empty. Set it, or write a topic without {topic} in the node.');
  }
  const values: Record<string, string> = {
    gateway: config.gatewayId,
    site: config.site,
    topic: own,
    priority,
  };
  const topic = config.topic.replace(/\{(\w+)\}/g, (_, name: string) => values[name]);
  // Brokers answer a topic with control characters or broken Unicode by closing the connection.
  if (!isPublishableTopic(topic) || /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(topic)) {
    throw new EdgeError(
      'TOPIC',
      `"${topic.slice(0, 200)}" cannot be published to: it is empty, too long, or has a wildcard (+ or #) or a control character in it. Correct msg.topic.`,
    );
  }
  // mosquitto acknowledges these to a client of MQTT 3.1.1, and drops them.
  if (/^\$(SYS|share|CONTROL)(\/|$)/.test(topic)) {
    throw new EdgeError(
      'TOPIC',
      `"${topic.slice(0, 200)}" belongs to the broker, and nobody can publish to it. Correct msg.topic.`,
    );
  }
  return topic;
}

function ttlOf(msg: EdgeMessage, configuredMs: number): number {
  const asked = (msg as { ttl?: unknown }).ttl;
  return typeof asked === 'number' && Number.isFinite(asked) && asked >= 0
    ? Math.min(Math.round(asked * 1000), Number.MAX_SAFE_INTEGER / 4)
    : configuredMs;
}

/** As the core `mqtt out` node: bytes and text as they are, anything else as JSON, nothing as nothing. */
function payloadBody(payload: unknown): { kind: BodyKind; body: Uint8Array } {
  if (payload instanceof Uint8Array) {
    // A copy: the flow may go on writing into its buffer.
    return { kind: 'binary', body: Buffer.from(payload) };
  }
  if (payload === undefined || payload === null) {
    return { kind: 'text', body: Buffer.alloc(0) };
  }
  if (typeof payload === 'string') {
    return { kind: 'text', body: Buffer.from(payload) };
  }
  if (typeof payload === 'number' || typeof payload === 'boolean') {
    return { kind: 'json', body: Buffer.from(String(payload)) };
  }
  return { kind: 'json', body: toJson(payload) };
}

function messageBody(msg: EdgeMessage): { kind: BodyKind; body: Uint8Array } {
  const source = msg as unknown as Record<string, unknown>;
  const carried: Record<string, unknown> = { topic: source.topic ?? '' };
  for (const name of CARRIED) {
    if (source[name] !== undefined) {
      carried[name] = source[name];
    }
  }
  return { kind: 'message', body: toJson(carried) };
}

function toJson(value: unknown): Buffer {
  let text: unknown;
  try {
    text = JSON.stringify(value);
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message.split('\n')[0] : String(thrown);
    if (thrown instanceof RangeError && reason === 'Invalid string length') {
      throw new EdgeError('TOO_LARGE', 'msg.payload is too large to be written as JSON. Send it in parts.');
    }
    throw new EdgeError(
      'UNSERIALISABLE',
      `msg.payload cannot be written as JSON: ${reason}. Change it before it is sent.`,
    );
  }
  if (typeof text !== 'string') {
    throw new EdgeError(
      'UNSERIALISABLE',
      `msg.payload is a ${typeof value}, which JSON cannot hold. Change it before it is sent.`,
    );
  }
  return Buffer.from(text);
}
