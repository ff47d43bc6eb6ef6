import type { Clock, Timer } from './clock';

/** What a status means; it fixes the color. */
export type Meaning = 'ok' | 'busy' | 'warning' | 'error' | 'idle';

export interface StatusText {
  meaning: Meaning;
  /** Locale key under the node's type, such as `status.learning`. */
  key: string;
  params?: Record<string, string | number>;
}

export interface NodeStatus {
  fill: 'red' | 'green' | 'yellow' | 'blue' | 'grey';
  shape: 'ring' | 'dot';
  text: string;
}

const LOOKS: Record<Meaning, Pick<NodeStatus, 'fill' | 'shape'>> = {
  ok: { fill: 'green', shape: 'dot' },
  busy: { fill: 'blue', shape: 'dot' },
  warning: { fill: 'yellow', shape: 'dot' },
  error: { fill: 'red', shape: 'ring' },
  idle: { fill: 'grey', shape: 'ring' },
};

const MIN_INTERVAL_MS = 500;

/** Shows a node's status, at most twice a second however often it is set; the last one always gets shown. */
export class StatusReporter {
  private shown = '';
  private lastFlushedAt = -Infinity;
  private waiting: Timer | undefined;
  private next: StatusText | undefined;
  private latest: NodeStatus | undefined;
  private closed = false;

  constructor(
    private readonly clock: Clock,
    private readonly translate: (key: string, params?: Record<string, string | number>) => string,
    private readonly show: (status: NodeStatus) => void,
  ) {}

  set(meaning: Meaning, key: string, params?: Record<string, string | number>): void {
    this.next = params ? { meaning, key, params } : { meaning, key };
    if (this.waiting || this.closed) {
      return;
    }
    const wait = this.lastFlushedAt + MIN_INTERVAL_MS - this.clock.monotonic();
    if (wait <= 0) {
      this.flush();
    } else {
      this.waiting = this.clock.after(wait, () => {
        this.waiting = undefined;
        this.flush();
      });
    }
  }

  /** What is shown now. */
  get current(): NodeStatus | undefined {
    return this.latest;
  }

  /** Shows nothing any more: after a deployment the node's id belongs to its successor. */
  close(): void {
    this.closed = true;
    this.waiting?.cancel();
    this.waiting = undefined;
  }

  private flush(): void {
    if (!this.next) {
      return;
    }
    const { meaning, key, params } = this.next;
    // Also when nothing changes: a translation costs more than a reading.
    this.lastFlushedAt = this.clock.monotonic();
    const status = { ...LOOKS[meaning], text: this.translate(key, params) };
    const signature = `${meaning} ${status.text}`;
    if (signature !== this.shown) {
      this.shown = signature;
      this.latest = status;
      this.show(status);
    }
  }
}
