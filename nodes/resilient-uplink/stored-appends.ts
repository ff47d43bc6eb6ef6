/** Appends that resolve in one turn of the event loop: each lets the flow go on with a message. */
const PER_TURN = 64;
/** Where they come faster than that, so much of what waits. */
const SHARE = 1 / 16;

/** Tells whoever appended a message that it is stored, in order, a few at a turn so that the event loop stays free. */
export class StoredAppends {
  private waiting: { resolve: (sequence: number) => void; sequence: number }[] = [];
  private scheduled = false;

  /** @param told called when everybody was told */
  constructor(private readonly told: () => void) {}

  /** How many were not told yet. */
  get pending(): number {
    return this.waiting.length;
  }

  /** Takes a commit's appends, whose sequences follow each other. */
  take(appends: readonly { resolve: (sequence: number) => void }[], first: number): void {
    appends.forEach(({ resolve }, index) => this.waiting.push({ resolve, sequence: first + index }));
    this.tell();
  }

  private tell(): void {
    const count = Math.max(PER_TURN, Math.ceil(this.waiting.length * SHARE));
    this.waiting.splice(0, count).forEach(({ resolve, sequence }) => resolve(sequence));
    if (this.waiting.length === 0) {
      this.told();
    } else if (!this.scheduled) {
      this.scheduled = true;
      setImmediate(() => {
        this.scheduled = false;
        this.tell();
      });
    }
  }
}
