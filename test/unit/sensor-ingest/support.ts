import type { Clock } from '../../../nodes/shared/clock';
import { EdgeError } from '../../../nodes/shared/errors';
import { SeededRandom } from '../../../nodes/shared/random';
import { parseIngestConfig } from '../../../nodes/sensor-ingest/config';
import type { Outcome } from '../../../nodes/sensor-ingest/acceptance';
import { IngestPipeline } from '../../../nodes/sensor-ingest/pipeline';

/** 2026-01-31T12:00:00Z. */
export const NOON = 1_769_860_800_000;

/** A clock that only moves when it is told to, and runs what falls due. */
export class TestClock implements Clock {
  private readonly due = new Set<{ at: number; action: () => void }>();

  constructor(private time = NOON) {}

  now(): number {
    return this.time;
  }

  monotonic(): number {
    return this.time - NOON;
  }

  after(delayMs: number, action: () => void): { cancel(): void } {
    const entry = { at: this.time + delayMs, action };
    this.due.add(entry);
    return { cancel: () => this.due.delete(entry) };
  }

  advance(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const next = [...this.due].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0] as
        { at: number; action: () => void } | undefined;
      if (!next) {
        break;
      }
      this.due.delete(next);
      this.time = next.at;
      next.action();
    }
    this.time = end;
  }
}

export interface Bench {
  pipeline: IngestPipeline;
  clock: TestClock;
  /** Takes a payload in under a topic; returns what was sent. */
  take: (payload: unknown, topic?: string) => Outcome[];
  /** The error that a payload is refused with. */
  refusal: (payload: unknown, topic?: string) => EdgeError;
}

/** A pipeline with properties as a flow file has them. */
export function bench(properties: object = {}): Bench {
  const clock = new TestClock();
  const pipeline = new IngestPipeline(parseIngestConfig(properties), clock, new SeededRandom(1));
  const take = (payload: unknown, topic = 'm1'): Outcome[] => pipeline.accept({ topic, payload }).outcomes;
  return {
    pipeline,
    clock,
    take,
    refusal(payload, topic) {
      try {
        take(payload, topic);
      } catch (error) {
        if (error instanceof EdgeError) {
          return error;
        }
        throw error;
      }
      throw new Error('The payload was accepted.');
    },
  };
}
