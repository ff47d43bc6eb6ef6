import type { Detection } from '../../nodes/shared/messages';

/** A write for `crdt-state`. */
export interface StateWrite {
  topic: string;
  operation: 'set' | 'increment';
  payload: unknown;
}

/** Counts the gateways that have written for the last time. */
export const STOPS = 'plant/stops';
/** Keys that count, for the rules of `crdt-state`; in all others the last write wins. */
export const COUNTERS = ['judged/#', 'alerts/#', 'plant/judged', STOPS] as const;

/** What has come of a source since it was written last. */
interface News {
  readings: number;
  status: string;
  ts: number;
}

/**
 * What a gateway shares of its detections: of each source how many readings were judged, and its status when that changes;
 * of the whole plant, which all gateways write to, readings, alerts by kind and what was judged last. Sources that have
 * news take turns, so that the number of writes does not follow the load.
 */
export class StateWrites {
  private readonly news = new Map<string, News>();
  private readonly told = new Map<string, string>();
  private readonly alerts = new Map<string, number>();
  private judged = 0;
  private latest: Detection | undefined;

  /** @param atOnce sources that are written of at a time */
  constructor(private readonly atOnce: number) {}

  take(detection: Detection): void {
    const { source, status, kind, episode, ts } = detection;
    if (kind !== undefined && episode?.phase === 'start') {
      this.alerts.set(kind, (this.alerts.get(kind) ?? 0) + 1);
    }
    const readings = 1 + (this.news.get(source)?.readings ?? 0);
    this.news.set(source, { readings, status, ts });
    this.judged++;
    this.latest = detection;
  }

  /** What is to be written now. */
  due(atOnce = this.atOnce): StateWrite[] {
    const writes: StateWrite[] = [];
    const increment = (topic: string, payload: number): void =>
      void writes.push({ topic, operation: 'increment', payload });
    const set = (topic: string, payload: object): void =>
      void writes.push({ topic, operation: 'set', payload });
    for (const [source, { readings, status, ts }] of [...this.news].slice(0, atOnce)) {
      this.news.delete(source);
      increment(`judged/${source}`, readings);
      if (this.told.get(source) !== status) {
        this.told.set(source, status);
        set(`status/${source}`, { status, since: ts });
      }
    }
    if (this.latest) {
      const { source, score, status } = this.latest;
      increment('plant/judged', this.judged);
      set('plant/latest', { source, score, status });
      this.judged = 0;
      this.latest = undefined;
    }
    this.alerts.forEach((count, kind) => increment(`alerts/${kind}`, count));
    this.alerts.clear();
    return writes;
  }

  /** What is to be written at the end: all that has waited for its turn, and that the gateway stops. */
  last(): StateWrite[] {
    return [...this.due(Infinity), { topic: STOPS, operation: 'increment', payload: 1 }];
  }
}
