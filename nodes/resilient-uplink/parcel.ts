import { wireBody } from './envelope';
import type { Outgoing } from './link';
import type { BodyKind, StoredMessage } from './outbox-port';

/** Version of the envelope that a batch travels in. */
const ENVELOPE = 1;
/** Bytes of an entry beside its payload, at most: id, when it was stored, names and punctuation. */
const ENTRY_OVERHEAD = 160;
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

type Packable = Pick<StoredMessage, 'sequence' | 'topic' | 'kind' | 'body' | 'storedMs'>;

/** Identity of what is sent: `<store>:<sequence>`, or `<store>:<first>-<last>` for several. */
export function parcelId(store: string, messages: readonly Pick<StoredMessage, 'sequence'>[]): string {
  const first = messages[0].sequence;
  const last = messages[messages.length - 1].sequence;
  return first === last ? `${store}:${first}` : `${store}:${first}-${last}`;
}

/**
 * What goes over a connection for messages of one topic: the one message as it is, or an envelope
 * `{"edgeBatch":1,"id":…,"topic":…,"messages":[{"id":…,"stored":…,"payload":…}]}` that says about each message what it
 * would say alone, with `"replay":true` for one of the backlog. JSON stands in it as it is, text as a string, bytes as
 * base64 beside `"encoding":"base64"`, and the object of content `message` with all its members.
 */
export function parcelOf<M extends Packable>(
  store: string,
  messages: readonly M[],
  enveloped: boolean,
  isReplay: (message: M) => boolean = () => false,
): Outgoing {
  const id = parcelId(store, messages);
  const [{ topic, kind, body }] = messages;
  const storedMs = Math.min(...messages.map((message) => message.storedMs));
  const replay = messages.some(isReplay);
  if (!enveloped) {
    return { id, topic, body: wireBody(kind, body, id), contentType: CONTENT_TYPES[kind], storedMs, replay };
  }
  const head = `{"edgeBatch":${ENVELOPE},"id":${JSON.stringify(id)},"topic":${JSON.stringify(topic)},"messages":[`;
  const parts: Uint8Array[] = [Buffer.from(head)];
  messages.forEach((message, index) => {
    if (index > 0) {
      parts.push(Buffer.from(','));
    }
    parts.push(...entryOf(`${store}:${message.sequence}`, message, isReplay(message)));
  });
  parts.push(Buffer.from(']}'));
  return {
    id,
    topic,
    body: Buffer.concat(parts),
    contentType: 'application/json',
    batch: messages.length,
    storedMs,
    replay,
  };
}

/** Bytes that a message takes in an envelope. Text that needs escapes takes more; the link has the last word. */
export function entrySize({ kind, body }: Pick<Packable, 'kind' | 'body'>): number {
  return ENTRY_OVERHEAD + (kind === 'binary' ? Math.ceil(body.byteLength / 3) * 4 : body.byteLength);
}

/** Bytes that are left for entries where a connection takes a body of `limit` bytes. */
export function roomForEntries(limit: number, topic: string): number {
  return limit - ENVELOPE_OVERHEAD - Buffer.byteLength(topic);
}

function entryOf(id: string, { kind, body, storedMs }: Packable, replay: boolean): Uint8Array[] {
  const marks = `"id":${JSON.stringify(id)},"stored":${storedMs},${replay ? '"replay":true,' : ''}`;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (kind === 'message') {
    // The object's own members follow; none of them is called so.
    return [Buffer.from(`{${marks}`), bytes.subarray(1)];
  }
  const head = Buffer.from(`{${marks}"payload":`);
  if (kind === 'binary') {
    return [head, Buffer.from(`"${bytes.toString('base64')}","encoding":"base64"}`)];
  }
  if (kind === 'json' && !(bytes.byteLength < 10 && NO_JSON.has(bytes.toString()))) {
    return [head, bytes, Buffer.from('}')];
  }
  return [head, Buffer.from(`${JSON.stringify(bytes.toString())}}`)];
}
