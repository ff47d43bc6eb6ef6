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
    this.now();
  }

  stop(): void {
    this.running = false;
    this.cease();
  }

  /** Asks at once, in place of whatever is under way. */
  now(): void {
    this.cease();
    if (this.running) {
      this.request();
    }
  }

  private request(): void {
    if (document.hidden) {
      this.later();
      return;
    }
    const asked = this.ask();
    this.underWay = asked;
    asked
      .done((answer: T) => {
        if (this.underWay === asked) {
          this.show(answer);
          this.later();
        }
      })
      .fail((response) => {
        if (this.underWay === asked && this.refused(response)) {
          this.later();
        }
      });
  }

  private later(): void {
    window.clearTimeout(this.timer);
    if (this.running) {
      this.timer = window.setTimeout(() => this.request(), this.intervalMs);
    }
  }

  private cease(): void {
    window.clearTimeout(this.timer);
    const { underWay } = this;
    this.underWay = undefined;
    underWay?.abort();
  }
}
