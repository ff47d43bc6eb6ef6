import type { EdgeError } from '../shared/errors';
import type { Fault } from '../shared/trouble';
import type { PoolConfig } from './link-pool';
import type { StoredMessage } from './outbox-port';
import type { Compression } from './press';

/** How a message was delivered, as `msg.uplink` tells it. */
export interface DeliveryNote {
  id: string;
  /** The connection's name. */
  connection: string;
  attempts: number;
  storedMs: number;
  fallback: boolean;
  duplicatePossible: boolean;
}

export interface DeliveryEvents {
  delivered(message: StoredMessage, note: DeliveryNote): void;
  /** Refused for good by a connection. */
  rejected(message: StoredMessage, reason: string): void;
  /** Rows that the medium damaged. */
  corrupt(sequences: number[]): void;
  /** A connection stopped working. */
  connectionFailed(name: string, reason: string, fault?: Fault): void;
  /** Something that a status would show may have changed. */
  changed(): void;
  /** The store refused; delivery tries again with its next tick. */
  storeFailed: (error: EdgeError) => void;
}

export interface DeliveryConfig extends PoolConfig {
  /** Messages of one topic in one publish (1). */
  batchSize?: number;
  /** How long a message may wait for others of its topic (0). */
  batchDelayMs?: number;
  /** What is sent is compressed (`none`). */
  compression?: Compression;
  /** Messages of the backlog a second (0: as many as go). */
  replayRate?: number;
}
