import type { EdgeMessage } from '../../nodes/shared/messages';
import { envelopeOf, wireBody, type EnvelopeConfig } from '../../nodes/resilient-uplink/envelope';
import type { Sent } from './drive';

const UPLINK: Omit<EnvelopeConfig, 'content'> = {
  topic: 'cloud/{topic}',
  priority: 'auto',
  ttlMs: 0,
  gatewayId: 'gw-01',
  site: 'plant1',
  maxBytes: Infinity,
  drop: [],
  hash: [],
  hashKey: '',
};
/** As the outbox makes them: the store and the place in it. */
const STORE = '0198d7f4-6c5e-7a31-9b1c-5d2f8e4a7c10';
const USER_PROPERTY = 'edge-id';

/** Bytes of some messages: payloads as JSON, as the node reports them, and as the uplink sends them over MQTT 5. */
export class Traffic {
  messages = 0;
  payload = 0;
  /** PUBLISH packets with content `payload`. */
  publishPayload = 0;
  /** PUBLISH packets with content `message`. */
  publishMessage = 0;

  add(topic: string, payload: unknown, reading?: Sent['reading']): this {
    this.messages++;
    const id = `${STORE}:${this.messages}`;
    const msg = { _msgid: '', topic, payload, ...(reading && { reading }) } as EdgeMessage;
    const packet = (content: 'payload' | 'message'): number => {
      const stored = envelopeOf(msg, { ...UPLINK, content });
      return publishBytes(stored.topic, id, wireBody(stored.kind, stored.body, id).byteLength);
    };
    this.payload +=
      payload instanceof Uint8Array ? payload.byteLength : Buffer.byteLength(JSON.stringify(payload));
    this.publishPayload += packet('payload');
    this.publishMessage += packet('message');
    return this;
  }

  addAll(topic: string, messages: readonly Sent[]): this {
    messages.forEach(({ payload, reading }) => this.add(topic, payload, reading));
    return this;
  }
}

/** Length of a PUBLISH with QoS 1 and the id as a user property (MQTT 5, 3.3). */
export function publishBytes(topic: string, id: string, body: number): number {
  const properties = 1 + 2 + USER_PROPERTY.length + 2 + id.length;
  const remaining = 2 + Buffer.byteLength(topic) + 2 + varint(properties) + properties + body;
  return 1 + varint(remaining) + remaining;
}

/** Bytes that MQTT's variable byte integer takes. */
function varint(value: number): number {
  return value < 128 ? 1 : 1 + varint(Math.floor(value / 128));
}
