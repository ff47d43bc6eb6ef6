/**
 * Counts the values that all sources of one node hold together, so that strangers who invent sources cannot fill the
 * memory.
 */
export class ValueBudget {
  private taken = 0;

  /** @param limit values of 8 bytes */
  constructor(private readonly limit: number) {}

  get held(): number {
    return this.taken;
  }

  /** @returns false, with nothing taken, when there is not so much left */
  take(values: number): boolean {
    if (this.taken + values > this.limit) {
      return false;
    }
    this.taken += values;
    return true;
  }

  give(values: number): void {
    this.taken -= values;
  }
}
