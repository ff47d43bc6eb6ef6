import type { Clock } from '../../shared/clock';
import { Seldom } from '../../shared/seldom';

/** An edge node is asked for a birth at most once in this time, ms. */
const INTERVAL_MS = 30_000;
/** Edge nodes that are remembered to have been asked. */
const MOST_NODES = 10_000;

/** Asks Sparkplug edge nodes for births, each seldom: an answer takes its time, and strangers can make anything needed. */
export class Rebirths {
  private readonly asked: Seldom;

  constructor(
    clock: Clock,
    private readonly ask: (commandTopic: string) => void,
  ) {
    this.asked = new Seldom(clock, INTERVAL_MS, MOST_NODES);
  }

  request(commandTopic: string): void {
    if (this.asked.isDue(commandTopic)) {
      this.ask(commandTopic);
    }
  }
}
