/** Turns that each priority has before the next lower one gets its own, so that the lowest never starves. */
const WEIGHTS = [16, 4, 1];

/**
 * Shares sends out among lanes in strict priority with weighted turns: while every lane has work, of 21 sends 16 go
 * to the first, 4 to the second and 1 to the last.
 */
export class Turns {
  private credits = [...WEIGHTS];

  /** Asks the lanes in turn; `take` gives undefined when a lane has nothing to send. */
  next<T>(take: (lane: number) => T | undefined): T | undefined {
    const spent: number[] = [];
    for (let lane = 0; lane < WEIGHTS.length; lane++) {
      if (this.credits[lane] === 0) {
        spent.push(lane);
        continue;
      }
      const taken = take(lane);
      if (taken !== undefined) {
        this.credits[lane]--;
        return taken;
      }
    }
    this.credits = [...WEIGHTS];
    for (const lane of spent) {
      const taken = take(lane);
      if (taken !== undefined) {
        this.credits[lane]--;
        return taken;
      }
    }
    return undefined;
  }
}
