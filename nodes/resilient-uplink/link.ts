import type { Fault, Trouble } from '../shared/trouble';

export const SETTINGS_CHANGED = 'its settings were changed';

/** Whether a look-up gives something else than it gave before, or nothing any more. */
export function isOther<T>(lookUp: () => T, before: T): boolean {
  try {
    return lookUp() !== before;
  } catch {
    return true;
  }
}

/** What goes over a connection. */
export interface Outgoing {
  /**
   * `<store uuid>:<sequence>`, the same on every retry and every connection, or `<store uuid>:<first>-<last>` of a
   * batch.
   */
  id: string;
  topic: string;
  /** The bytes as they are sent. */
  body: Uint8Array;
  /** What `body` is, before it was compressed. */
  contentType: string;
  /** How `body` is compressed. */
  encoding?: 'gzip';
  /** How many messages are in it, when it is an envelope. */
  batch?: number;
  /** When it was stored, or the oldest message in it, ms since the epoch. */
  storedMs: number;
  /** Whether it, or any message in it, comes from the backlog (`replay.ts`). */
  replay: boolean;
}

/** How a connection was lost. */
export interface Loss extends Trouble {
  /** Whether the other side closed it, and gave no reason that lies elsewhere than in what was sent. */
  closed?: boolean;
  /** Whether something of another outbox was under way as well, which may have been the reason. */
  shared?: boolean;
}

/** The other side's answer to one message. */
export type Answer =
  | { outcome: 'acknowledged' }
  /** Refused for now: the message is tried again. */
  | { outcome: 'retry'; reason: string; retryAfterMs?: number; fault?: Fault }
  /** Refused for good: the message would be refused however often it is sent. */
  | { outcome: 'rejected'; reason: string };

export interface LinkObserver {
  /** Messages may be sent now. */
  opened(): void;
  /** The link is closed; whatever was under way has no answer and gets none. */
  lost(loss: Loss): void;
}

/**
 * One connection as delivery sees it. A link opens, is lost or closed, and may open again; each `open` has its own
 * observer. It never resends by itself and calls nobody back after `close`.
 */
export interface Link {
  readonly id: string;
  readonly name: string;
  /** Whether messages that are under way together arrive in the order in which they were sent. */
  readonly ordered: boolean;
  /** How many messages may be under way at once; may change while opening. */
  readonly window: number;
  /** Bytes of the largest body that the other side takes for a topic, where it said so. */
  bodyLimit?(topic: string): number;
  open(observer: LinkObserver): void;
  /** Asks the other side for a sign of life; for a connection that can. */
  probe?(alive: () => void): void;
  send(message: Outgoing, answer: (answer: Answer) => void): void;
  /** Gives the connection up when it was opened with settings that have changed; the next `open` takes the new ones. */
  refresh(): void;
  close(): void;
}
