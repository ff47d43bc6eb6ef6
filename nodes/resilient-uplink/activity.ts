import type { Clock, Timer } from '../shared/clock';

/** How often the outbox is looked at. */
export const SAMPLE_MS = 2000;
/** Ten minutes of samples. */
const MOST_SAMPLES = 300;
/** Time constant of the smoothed rates: what happened half a minute ago counts a third. */
const SMOOTHING_MS = 30_000;
/** A rate that was watched for less says little. */
const SHORTEST_WATCH_MS = 3 * SAMPLE_MS;

/** The outbox at a moment, and what happened since the sample before. */
export interface Sample {
  /** Wall clock, ms since the epoch. */
  at: number;
  /** Messages that wait. */
  messages: number;
  /** Messages a second that were accepted. */
  arrived: number;
  /** Messages a second that a connection acknowledged. */
  delivered: number;
}

/** Smoothed rates, each a second. */
export interface Rates {
  /** Messages that were accepted. */
  arrivals: number;
  arrivalBytes: number;
  /** Messages that a connection acknowledged. */
  deliveries: number;
  /** Messages that came to any end: delivered, expired, evicted or refused. */
  endings: number;
  /** What the outbox grows by, dead letters included; negative while it shrinks. */
  growthBytes: number;
}

/** What the outbox holds when a sample is taken. */
export interface Holding {
  messages: number;
  /** Bytes that count against its limit. */
  occupied: number;
}

type Name = keyof Rates;

/** Keeps the recent past of an outbox: samples for a drawing and smoothed rates, both bounded. */
export class Activity {
  private readonly ring: Sample[] = [];
  private readonly smoothed = new Map<Name, number>();
  /** Weight of what was seen, towards 1: a mean over a short time is not pulled to 0. */
  private weight = 0;
  private watchedMs = 0;
  private counted = { arrivals: 0, arrivalBytes: 0, deliveries: 0, endings: 0 };
  private last: { at: number; occupied: number } | undefined;
  private timer: Timer | undefined;

  /**
   * @param holding what the outbox holds; undefined while it is not open
   * @param sampled told after each sample
   */
  constructor(
    private readonly clock: Clock,
    private readonly holding: () => Holding | undefined,
    private readonly sampled: () => void = () => undefined,
  ) {}

  start(): void {
    this.timer = this.clock.after(SAMPLE_MS, () => {
      this.sample();
      this.sampled();
      this.start();
    });
  }

  stop(): void {
    this.timer?.cancel();
  }

  arrived(messages: number, bytes: number): void {
    this.counted.arrivals += messages;
    this.counted.arrivalBytes += bytes;
  }

  ended(messages: number, delivered: boolean): void {
    this.counted.endings += messages;
    this.counted.deliveries += delivered ? messages : 0;
  }

  /** Samples of the last ten minutes, the oldest first. */
  get samples(): readonly Sample[] {
    return this.ring;
  }

  /** Undefined until the outbox was watched for some seconds. */
  get rates(): Rates | undefined {
    if (this.watchedMs < SHORTEST_WATCH_MS) {
      return undefined;
    }
    const rate = (name: Name): number => (this.smoothed.get(name) ?? 0) / this.weight;
    return {
      arrivals: rate('arrivals'),
      arrivalBytes: rate('arrivalBytes'),
      deliveries: rate('deliveries'),
      endings: rate('endings'),
      growthBytes: rate('growthBytes'),
    };
  }

  /** Takes a sample now. */
  sample(): void {
    const held = this.holding();
    if (!held) {
      // What a store that is opened anew holds is no growth.
      this.last = undefined;
      return;
    }
    const now = this.clock.monotonic();
    const before = this.last;
    const { counted } = this;
    this.last = { at: now, occupied: held.occupied };
    this.counted = { arrivals: 0, arrivalBytes: 0, deliveries: 0, endings: 0 };
    const passedMs = before ? now - before.at : 0;
    if (!before || passedMs <= 0) {
      return;
    }
    const keep = Math.exp(-passedMs / SMOOTHING_MS);
    const amounts: Rates = { ...counted, growthBytes: held.occupied - before.occupied };
    for (const [name, amount] of Object.entries(amounts) as [Name, number][]) {
      const rate = (amount * 1000) / passedMs;
      this.smoothed.set(name, (this.smoothed.get(name) ?? 0) * keep + rate * (1 - keep));
    }
    this.weight = this.weight * keep + 1 - keep;
    this.watchedMs += passedMs;
    this.ring.push({
      at: this.clock.now(),
      messages: held.messages,
      arrived: (counted.arrivals * 1000) / passedMs,
      delivered: (counted.deliveries * 1000) / passedMs,
    });
    if (this.ring.length > MOST_SAMPLES) {
      this.ring.shift();
    }
  }
}
