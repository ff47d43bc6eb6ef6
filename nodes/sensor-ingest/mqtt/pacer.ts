import type { Clock } from '../../shared/clock';

/** Longest time that messages are handled in one go, ms. */
const SLICE_MS = 2;
/** Most messages that may be ahead of the flow behind. */
const SLICE_MESSAGES = 64;

/**
 * Breaks a burst of messages into slices, with a turn of the event loop between them: other flows run, and the nodes
 * behind take what was sent before more is sent.
 */
export class Pacer {
  private startedAt = -Infinity;
  private handled = 0;

  /** @param nextTurn runs an action in the next turn of the event loop */
  constructor(
    private readonly clock: Clock,
    private readonly nextTurn: (action: () => void) => void,
  ) {}

  /** Goes on at once within a slice, else in the next turn. Call it after each message. */
  next(goOn: () => void): void {
    this.handled++;
    const spent = this.clock.monotonic() - this.startedAt;
    if (this.handled < SLICE_MESSAGES && spent < SLICE_MS) {
      goOn();
      return;
    }
    this.nextTurn(() => {
      this.handled = 0;
      this.startedAt = this.clock.monotonic();
      goOn();
    });
  }
}
