import type { StoredMessage } from './outbox-port';

/** From so long a wait on, beyond what a batch waits for, a message is not live any more. */
export const LIVE_MS = 10_000;

/**
 * Tells which messages come from the backlog, as their receiver is told: those that an earlier run stored or that were
 * requeued, those stored before the connection that they go over was opened, and those that have waited for more than
 * 10 s beyond what their batch waits for. It is reckoned in the store's age, so that setting the clock makes nothing old.
 *
 * @param age the store's age now, ms
 * @param openForMs how long the connection has been open
 */
export function replayTest(
  age: number,
  openForMs: number,
  batchDelayMs = 0,
): (message: Pick<StoredMessage, 'earlierRun' | 'storedAge'>) => boolean {
  const liveSince = age - Math.min(openForMs, LIVE_MS + batchDelayMs);
  return ({ earlierRun, storedAge }) => earlierRun || storedAge < liveSince;
}
