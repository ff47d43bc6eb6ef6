/** Asks the gateway for something again and again while somebody looks, one request at a time. */
export class Poller<T> {
  private timer: number | undefined;
  private underWay: JQuery.jqXHR | undefined;
  private running = false;

  /**
   * @param ask makes a request
   * @param refused told when one fails; gives whether to go on asking
   */
  constructor(
    private readonly intervalMs: number,
    private readonly ask: () => JQuery.jqXHR,
    private readonly show: (answer: T) => void,
    private readonly refused: (response: JQuery.jqXHR) => boolean,
  ) {}

  start(): void {
    this.running = true;
    this.again();
  }

  stop(): void {
    this.running = false;
    this.cease();
  }

  /** Asks anew, in place of whatever is under way, once nothing has called for it for `restMs`. */
  again(restMs = 0): void {
    this.cease();
    this.plan(restMs);
  }

  private request(): void {
    if (document.hidden) {
      this.plan(this.intervalMs);
      return;
    }
    const asked = this.ask();
    this.underWay = asked;
    asked
      .done((answer: T) => {
        if (this.underWay === asked) {
          this.show(answer);
          this.plan(this.intervalMs);
        }
      })
      .fail((response) => {
        if (this.underWay === asked && this.refused(response)) {
          this.plan(this.intervalMs);
        }
      });
  }

  private plan(delayMs: number): void {
    window.clearTimeout(this.timer);
    if (this.running) {
      this.timer = window.setTimeout(() => this.request(), delayMs);
    }
  }

  private cease(): void {
    window.clearTimeout(this.timer);
    const { underWay } = this;
    // What an answer belongs to is looked at when it comes.
    this.underWay = undefined;
    underWay?.abort();
  }
}
