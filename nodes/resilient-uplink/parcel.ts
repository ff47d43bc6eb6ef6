import { wireBody } from './envelope';
import type { Outgoing } from './link';
import type { BodyKind, StoredMessage } from './outbox-port';

/** Version of the envelope that a batch travels in. */
const ENVELOPE = 1;
/** Bytes of an entry beside its payload, at most: id, names and punctuation. */
const ENTRY_OVERHEAD = 112;
/** Bytes of an envelope beside its entries and its topic, at most. */
const ENVELOPE_OVERHEAD = 160;

const CONTENT_TYPES: Record<BodyKind, string> = {
  json: 'application/json',
  message: 'application/json',
  text: 'text/plain; charset=utf-8',
  binary: 'application/octet-stream',
};
/** What `String` makes of numbers that JSON does not know; published alone they are such a text as well. */
const NO_JSON = new Set(['NaN', 'Infinity', '-Infinity']);

type Packable = Pick<StoredMessage, 'sequence' | 'topic' | 'kind' | 'body'>;

/** Identity of what is sent: `<store>:<sequence>`, or `<store>:<first>-<last>` for several. */
export function parcelId(store: string, messages: readonly Pick<StoredMessage, 'sequence'>[]): string {
  const first = messages[0].sequence;
  const last = messages[messages.length - 1].sequence;
  return first === last ? `${store}:${first}` : `${store}:${first}-${last}`;
}

/**
 * What goes over a connection for messages of one topic: the one message as it is, or an envelope
 * `{"edgeBatch":1,"id":…,"topic":…,"messages":[{"id":…,"payload":…}]}` that says about each message what it would say
 * alone. JSON stands in it as it is, text as a string, bytes as base64 beside `"encoding":"base64"`, and the object of
 * content `message` with all its members.
 */
export function parcelOf(store: string, messages: readonly Packable[], enveloped: boolean): Outgoing {
  const id = parcelId(store, messages);
  const [{ topic, kind, body }] = messages;
  if (!enveloped) {
    return { id, topic, body: wireBody(kind, body, id), contentType: CONTENT_TYPES[kind] };
  }
  const head = `{"edgeBatch":${ENVELOPE},"id":${JSON.stringify(id)},"topic":${JSON.stringify(topic)},"messages":[`;
  const parts: Uint8Array[] = [Buffer.from(head)];
  messages.forEach((message, index) => {
    if (index > 0) {
      parts.push(Buffer.from(','));
    }
    parts.push(...entryOf(`${store}:${message.sequence}`, message));
  });
  parts.push(Buffer.from(']}'));
  return { id, topic, body: Buffer.concat(parts), contentType: 'application/json', batch: messages.length };
}

/** Bytes that a message takes in an envelope. Text that needs escapes takes more; the link has the last word. */
export function entrySize({ kind, body }: Pick<Packable, 'kind' | 'body'>): number {
  return ENTRY_OVERHEAD + (kind === 'binary' ? Math.ceil(body.byteLength / 3) * 4 : body.byteLength);
}

/** Bytes that are left for entries where a connection takes a body of `limit` bytes. */
export function roomForEntries(limit: number, topic: string): number {
  return limit - ENVELOPE_OVERHEAD - Buffer.byteLength(topic);
}

function entryOf(id: string, { kind, body }: Packable): Uint8Array[] {
  if (kind === 'message') {
    return [wireBody(kind, body, id)];
  }
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const head = Buffer.from(`{"id":${JSON.stringify(id)},"payload":`);
  if (kind === 'binary') {
    return [head, Buffer.from(`"${bytes.toString('base64')}","encoding":"base64"}`)];
  }
  if (kind === 'json' && !(bytes.byteLength < 10 && NO_JSON.has(bytes.toString()))) {
    return [head, bytes, Buffer.from('}')];
  }
  return [head, Buffer.from(`${JSON.stringify(bytes.toString())}}`)];
}
