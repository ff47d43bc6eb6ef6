import type { Clock } from '../shared/clock';
import type { EdgeError } from '../shared/errors';
import type { Random } from '../shared/random';
import type { Frame } from './frame';

/** Paces of the exchange, in ms. */
export interface SyncTimes {
  /** How long own writes are gathered into one delta. */
  flushMs: number;
  /** How often a replica tells what it knows when nothing happens. */
  announceMs: number;
  /** How soon it acknowledges what it took. */
  acknowledgeMs: number;
  /** How long a gap is waited out before the missing part is asked for. */
  holdMs: number;
  /** How long an answer is waited for. */
  requestMs: number;
  /** After a restart: how long peers are listened to before anything new is told. */
  graceMs: number;
}

export const DEFAULT_TIMES: SyncTimes = {
  flushMs: 100,
  announceMs: 10_000,
  acknowledgeMs: 500,
  holdMs: 250,
  requestMs: 1000,
  // Longer than a client that was thrown out of a broker waits before it connects again.
  graceMs: 3000,
};

/** What the exchange needs from the world. Jobs run in a turn of the replica, one after the other. */
export interface SyncPorts {
  clock: Clock;
  random: Random;
  /** Whether the replica was stored by an earlier process. */
  resumed: boolean;
  /** Sends once the turn that is open is on disk. */
  send(frame: Frame): void;
  /** Whether a frame that is sent now has a chance to arrive. */
  connected(): boolean;
  schedule(job: () => Generator<void, void>): void;
  /** Twelve hexadecimal digits that no other start of any replica has. */
  newIncarnation(): string;
  /** Told once for each peer. */
  problem(error: EdgeError): void;
}
