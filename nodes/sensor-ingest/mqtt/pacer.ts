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

  /** Whether the next message can follow in the same slice, and not only by {@link pause}. Ask after each message. */
  goesOn(): boolean {
    this.handled++;
    return this.handled < SLICE_MESSAGES && this.clock.monotonic() - this.startedAt < SLICE_MS;
  }

  /** Begins another slice in the next turn. */
  pause(goOn: () => void): void {
    this.nextTurn(() => {
      this.handled = 0;
      this.startedAt = this.clock.monotonic();
      goOn();
    });
  }
}
