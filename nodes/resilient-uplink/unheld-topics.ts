/** Topics that are remembered by name; with more, those beyond are taken to have messages in the store. */
const MOST_TOPICS = 10_000;

/**
 * Which topics may have messages in the store that a lane does not hold yet, so that a new message of any other topic
 * may be sent before the backlog is. In doubt a topic has some: then order is kept.
 */
export class UnheldTopics {
  /** The last such message of each topic. */
  private readonly last = new Map<string, number>();
  /** Up to this sequence nobody knows whose messages there are. */
  private unknownTo = 0;
  private counted = false;

  /** A message of the topic is in the store and not held. */
  note(topic: string, sequence: number): void {
    const known = this.last.get(topic);
    if (known !== undefined || this.last.size < MOST_TOPICS) {
      this.last.set(topic, Math.max(known ?? 0, sequence));
    } else {
      this.unknownTo = Math.max(this.unknownTo, sequence);
    }
  }

  /** Messages of any topic may have been put back up to this sequence. */
  doubt(upTo: number): void {
    this.unknownTo = Math.max(this.unknownTo, upTo);
  }

  /** Everything that an earlier run left was noted. */
  complete(): void {
    this.counted = true;
  }

  /** Everything that is stored is held. */
  clear(): void {
    this.last.clear();
    this.unknownTo = 0;
    this.counted = true;
  }

  /** Whether the topic may have messages behind `cursor`, up to which everything is held. */
  mayHave(topic: string, cursor: number): boolean {
    const last = this.last.get(topic);
    if (last !== undefined && last <= cursor) {
      this.last.delete(topic);
    }
    return !this.counted || cursor < this.unknownTo || (last !== undefined && last > cursor);
  }
}
