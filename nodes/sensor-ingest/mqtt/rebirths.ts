import type { Clock } from '../../shared/clock';

/** An edge node is asked for a birth at most once in this time, ms. */
const INTERVAL_MS = 30_000;
/** Edge nodes that are remembered to have been asked. */
const MOST_NODES = 10_000;

/** Asks Sparkplug edge nodes for births, each seldom: an answer takes its time, and strangers can make anything needed. */
export class Rebirths {
  private readonly askedAt = new Map<string, number>();

  constructor(
    private readonly clock: Clock,
    private readonly ask: (commandTopic: string) => void,
  ) {}

  request(commandTopic: string): void {
    const now = this.clock.monotonic();
    const askedAt = this.askedAt.get(commandTopic) ?? -Infinity;
    if (now - askedAt < INTERVAL_MS) {
      return;
    }
    if (this.askedAt.size >= MOST_NODES) {
      this.askedAt.clear();
    }
    this.askedAt.set(commandTopic, now);
    this.ask(commandTopic);
  }
}
