import type { StatementSync } from 'node:sqlite';
import type { RequeueRequest } from './dead-letters';
import type { Shortage } from './disk-reserve';
import type { LedgerReport, LedgerRequest } from './ledger-report';

/** Priorities in the order in which they are served; a message stores its place in this list. */
export const PRIORITIES = ['alert', 'normal', 'bulk'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** What a stored body is: JSON, text or bytes, or the JSON object of content `message`, which lacks its `id`. */
export const BODY_KINDS = ['json', 'text', 'binary', 'message'] as const;
export type BodyKind = (typeof BODY_KINDS)[number];

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
  /** Whether an earlier run of this node stored it and may have sent it, or it was sent, refused and requeued. */
  earlierRun: boolean;
}

/** What the store holds. */
export interface Usage {
  messages: number;
  /** Bytes of bodies and topics. */
  bytes: number;
  /** Refused messages that are kept, which are in none of the other figures. */
  deadLetters: { messages: number; bytes: number };
  /** The store's age when its oldest message was stored; null when it is empty. */
  oldestAge: number | null;
  /** Set while too little is free on the disk. */
  shortage?: Shortage;
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

/** Ends that a message can come to; `unrecorded` was stored before the ledger was kept. */
export const FATES = ['delivered', 'expired', 'evicted', 'rejected', 'corrupt', 'unrecorded'] as const;
export type Fate = (typeof FATES)[number];

export interface Ending {
  fate: Fate;
  /** Name of the connection that acknowledged it; empty for all other fates. */
  connection: string;
}

/** Messages to remove that came to the same end. */
export interface Removal extends Ending {
  sequences: number[];
  /** Of rejected messages, which are kept as dead letters: why, and which connection said so. */
  refusal?: Refusal;
}

export interface Refusal {
  reason: string;
  connection: string;
}

/** What became of messages: rows to remove, and failed sends to write down as `[sequence, attempts]`. */
export interface Settlement {
  remove: Removal[];
  attempts: [sequence: number, attempts: number][];
}

/** A message that was refused for good. */
export interface DeadLetter {
  sequence: number;
  topic: string;
  priority: Priority;
  kind: BodyKind;
  storedMs: number;
  attempts: number;
  reason: string;
  connection: string;
  refusedMs: number;
  size: number;
  body?: Uint8Array;
}

/** A page of the dead letters, in order of sequence. */
export interface DeadLetterRequest {
  after: number;
  maxRows: number;
  /** Stops after the letter whose body exceeds it. */
  maxBytes: number;
  bodies: boolean;
}

export interface DeadLetterPage {
  letters: DeadLetter[];
  more: boolean;
}

/** Prepares a statement, once. */
export type Statements = (text: string) => StatementSync;

/** Which messages make room when the store is full. */
export type EvictionOrder = 'drop-oldest' | 'drop-lowest';

/** The durable queue as delivery sees it; everything rejects with `STORE` when the disk refuses. */
export interface Outbox {
  /** Identity of the store; ids are `<uuid>:<sequence>`. */
  readonly uuid: string;
  readonly usage: Usage;
  /** Bytes that may be stored while too little is free on the disk; Infinity while there is enough. */
  readonly ceiling?: number;
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

/** What the store remembers of messages that it does not hold any more. */
export interface OutboxRecords {
  readonly uuid: string;
  age(): number;
  /** What became of every message. */
  ledger(request: LedgerRequest): Promise<LedgerReport>;
  /** What {@link OutboxRecords.notePublication} wrote down last, over restarts. */
  publication(): Promise<string | undefined>;
  notePublication(note: string): Promise<void>;
  /** Puts a page of dead letters back, synced to disk; delivery must be told to look for them. */
  requeue(request: RequeueRequest): Promise<{ sequences: number[]; more: boolean }>;
  deadLetters(request: DeadLetterRequest): Promise<DeadLetterPage>;
}

/** Bytes that a message counts for. */
export function sizeOf(message: { topic: string; body: Uint8Array }): number {
  return message.body.byteLength + Buffer.byteLength(message.topic);
}

/** Bytes that count against the outbox's limit. */
export function occupiedBytes({ bytes, deadLetters }: Usage): number {
  return bytes + deadLetters.bytes;
}
