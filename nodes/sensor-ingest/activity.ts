import type { Clock, Timer } from '../shared/clock';
import type { Meaning } from '../shared/status';
import type { LinkState } from './thread/protocol';

const TICK_MS = 2000;
/** How long a reject is shown, and how long a rate without new readings. */
const REJECT_SHOWN_MS = 10_000;
const RATE_SHOWN_MS = 60_000;

const LINK_MEANINGS: Record<LinkState, Meaning> = {
  connecting: 'busy',
  listening: 'ok',
  disconnected: 'error',
  denied: 'error',
  refused: 'error',
};

/** Shows a node's status; `key` is a locale key. */
export type ShowStatus = (meaning: Meaning, key: string, params?: Record<string, string | number>) => void;

/** Follows what a node does and shows the most urgent of it: the connection, rejects, silent sources, the rate. */
export class Activity {
  private link: LinkState | undefined;
  private readings = 0;
  private rate: number | undefined;
  private readingAt = -Infinity;
  private rejects = 0;
  private rejectCode = '';
  private rejectAt = -Infinity;
  private tickedAt = 0;
  private timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly show: ShowStatus,
    private readonly silentSources: () => number,
  ) {
    this.update();
  }

  accepted(readings: number): void {
    this.readings += readings;
    this.readingAt = this.clock.monotonic();
    this.watch();
  }

  rejected(code: string): void {
    // A repeated delivery is what a persistent session is for, not a fault.
    if (code !== 'DUPLICATE') {
      this.rejects++;
      this.rejectCode = code;
      this.rejectAt = this.clock.monotonic();
      this.watch();
      this.update();
    }
  }

  linkChanged(state: LinkState): void {
    this.link = state;
    this.update();
  }

  sourcesChanged(): void {
    this.update();
  }

  stop(): void {
    this.timer?.cancel();
  }

  private watch(): void {
    if (!this.timer) {
      this.tickedAt = this.clock.monotonic();
      this.timer = this.clock.after(TICK_MS, () => this.tick());
    }
  }

  private tick(): void {
    const now = this.clock.monotonic();
    if (this.readings > 0) {
      this.rate = (this.readings * 1000) / Math.max(now - this.tickedAt, 1);
    }
    this.readings = 0;
    this.tickedAt = now;
    if (now - this.readingAt > RATE_SHOWN_MS) {
      this.rate = undefined;
    }
    if (now - this.rejectAt > REJECT_SHOWN_MS) {
      this.rejects = 0;
    }
    this.timer =
      this.rate === undefined && this.rejects === 0
        ? undefined
        : this.clock.after(TICK_MS, () => this.tick());
    this.update();
  }

  private update(): void {
    const silent = this.silentSources();
    if (this.link !== undefined && this.link !== 'listening') {
      this.show(LINK_MEANINGS[this.link], `status.${this.link}`);
    } else if (this.rejects > 0) {
      this.show('warning', 'status.rejecting', { count: this.rejects, code: this.rejectCode });
    } else if (silent > 0) {
      this.show('warning', 'status.silent', { count: silent });
    } else if (this.rate !== undefined) {
      this.show('ok', 'status.rate', { rate: this.rate < 10 ? this.rate.toFixed(1) : Math.round(this.rate) });
    } else if (this.link) {
      this.show('ok', 'status.listening');
    } else {
      this.show('idle', 'status.waiting');
    }
  }
}
