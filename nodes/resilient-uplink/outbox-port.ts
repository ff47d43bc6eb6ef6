/** Priorities in the order in which they are served; a message stores its place in this list. */
export const PRIORITIES = ['alert', 'normal', 'bulk'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** What a stored body is: JSON, text or bytes, or the JSON object of content `message`, which lacks its `id`. */
export type BodyKind = 'json' | 'text' | 'binary' | 'message';

/** A message that asks to be stored. */
export interface NewMessage {
  /** Index into {@link PRIORITIES}. */
  priority: number;
  topic: string;
  kind: BodyKind;
  body: Uint8Array;
  /** 0 = never expires. */
  ttlMs: number;
  /** What the body was made from, while this process remembers it; never stored. */
  origin?: object;
}

/** A message that is on disk. */
export interface StoredMessage extends NewMessage {
  sequence: number;
  /** Wall clock when it was stored, ms since the epoch. */
  storedMs: number;
  /** The store's own age when it was stored (see `OutboxStore.age`), in ms. */
  storedAge: number;
  /** Times it was sent without success, as far as that was written down. */
  attempts: number;
  /** Whether an earlier run of this node stored it, and may have sent it. */
  earlierRun: boolean;
}

/** What the store holds. */
export interface Usage {
  messages: number;
  /** Bytes of bodies and topics. */
  bytes: number;
  /** The store's age when its oldest message was stored; null when it is empty. */
  oldestAge: number | null;
}

export interface ReadRequest {
  priority: number;
  /** Rows after this sequence. */
  after: number;
  /** Rows of one topic only, up to a sequence. */
  only?: { topic: string; upTo: number };
  maxRows: number;
  /** Stops after the row that exceeds it, so that one row always fits. */
  maxBytes: number;
}

export interface ReadResult {
  messages: StoredMessage[];
  /** Sequences of rows whose checksum is wrong; they are in no other list. */
  corrupt: number[];
  /** Whether rows may be left behind the last one. */
  more: boolean;
}

/** Whose messages are stored, from one stretch of the store. */
export interface TopicsPage {
  topics: { priority: number; topic: string; last: number }[];
  /** The stretch's last sequence. */
  last: number;
  /** Whether rows may be left behind it. */
  more: boolean;
}

/** What became of messages: rows to delete, and failed sends to write down as `[sequence, attempts]`. */
export interface Settlement {
  remove: number[];
  attempts: [sequence: number, attempts: number][];
}

/** Which messages make room when the store is full. */
export type EvictionOrder = 'drop-oldest' | 'drop-lowest';

/** The durable queue as delivery sees it; everything rejects with `STORE` when the disk refuses. */
export interface Outbox {
  /** Identity of the store; ids are `<uuid>:<sequence>`. */
  readonly uuid: string;
  readonly usage: Usage;
  /** The store's age now, ms: it advances with the monotonic clock, whatever the wall clock does. */
  age(): number;
  read(request: ReadRequest): Promise<ReadResult>;
  /** The topics of the rows after a sequence, each with its last row among them; missing where it is not needed. */
  topics?(request: { after: number; maxRows: number }): Promise<TopicsPage>;
  settle(settlement: Settlement): Promise<void>;
  /** Messages whose time to live is over, or that are older than `maxAgeMs` (0 = no limit). They stay stored. */
  expired(request: { maxAgeMs: number; maxRows: number }): Promise<ReadResult>;
  /** Messages that should go to free `bytes`, in order, passing over `keep`. They stay stored. */
  victims(request: {
    bytes: number;
    order: EvictionOrder;
    keep: number[];
    maxRows: number;
  }): Promise<ReadResult>;
}

/** Bytes that a message counts for. */
export function sizeOf(message: { topic: string; body: Uint8Array }): number {
  return message.body.byteLength + Buffer.byteLength(message.topic);
}
