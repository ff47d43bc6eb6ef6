import { EdgeError } from './errors';

/** Works on one thing after another; a few may wait for their turn, and more are refused. */
export class OneAtATime {
  private readonly waiting: (() => Promise<void>)[] = [];
  private running = false;

  /** @param maxWaiting how many may wait for the one under way */
  constructor(private readonly maxWaiting = 4) {}

  /** Rejects with `BUSY`, or with whatever the work does. */
  run<T>(work: () => Promise<T>): Promise<T> {
    if (this.waiting.length >= this.maxWaiting) {
      return Promise.reject(
        new EdgeError(
          'BUSY',
          'The gateway is busy with the previews of other dialogs. Try again in a moment.',
        ),
      );
    }
    return new Promise((resolve, reject) => {
      this.waiting.push(() => work().then(resolve, reject));
      if (!this.running) {
        void this.workThrough();
      }
    });
  }

  private async workThrough(): Promise<void> {
    this.running = true;
    for (let next = this.waiting.shift(); next; next = this.waiting.shift()) {
      await next();
    }
    this.running = false;
  }
}
