import type { UplinkConfig } from './config';

const COMMIT_BYTES = 4 * 1024 * 1024;
/** How far the store may grow over its limit before new messages wait for eviction. */
const HOLD_FACTOR = 1.1;

export interface OutboxLimits {
  /** Bytes of stored messages, waiting ones included, from which on new ones are refused. */
  hardBytes: number;
  /** Bytes from which on new messages wait for room, which eviction makes; Infinity = they never wait. */
  holdBytes: number;
  /** Bytes of one commit; a larger message is one of its own. */
  batchBytes: number;
}

/** The limits of an outbox with these properties of the node. */
export function limitsOf({ limitBytes, overflow }: UplinkConfig): OutboxLimits {
  const batchBytes = Math.min(COMMIT_BYTES, limitBytes / 10);
  return overflow === 'reject'
    ? { hardBytes: limitBytes, holdBytes: Infinity, batchBytes }
    : { hardBytes: Infinity, holdBytes: limitBytes * HOLD_FACTOR, batchBytes };
}
