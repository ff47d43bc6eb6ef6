import assert from 'node:assert/strict';
import { parseIngestConfig } from '../../nodes/sensor-ingest/config';
import { IngestPipeline } from '../../nodes/sensor-ingest/pipeline';
import type { Clock } from '../../nodes/shared/clock';
import type { Reading } from '../../nodes/shared/messages';
import { SeededRandom } from '../../nodes/shared/random';

/** What a machine publishes at one moment. */
export interface Message<Payload = Record<string, number>> {
  ts: number;
  payload: Payload;
}

/** A reading that leaves a pipeline. */
export interface Sent {
  payload: Record<string, number>;
  reading: Reading;
  /** Place of the message that made it leave. */
  step: number;
}

/** What came of one recording. */
export interface Pass {
  /** Every reading: output 1. */
  readings: Sent[];
  /** The reduced stream: output 2. */
  kept: Sent[];
  /** The largest error that the node reported with the last of them, in the unit of the tolerance. */
  reportedError: number;
}

/** Stands at the newest time of the data: a logger's clock that is set back does not set the gateway's back. */
class DataClock implements Clock {
  time = 0;

  now(): number {
    return this.time;
  }

  monotonic(): number {
    return this.time;
  }

  after(): never {
    throw new Error('The pipeline itself has no timers.');
  }
}

/** Takes a recording through a pipeline with properties as a flow file has them. */
export function drive(properties: object, topic: string, messages: readonly Message<unknown>[]): Pass {
  const clock = new DataClock();
  const pipeline = new IngestPipeline(parseIngestConfig(properties), clock, new SeededRandom(1));
  const pass: Pass = { readings: [], kept: [], reportedError: 0 };
  let reportedBytes = 0;
  messages.forEach(({ ts, payload }, step) => {
    clock.time = Math.max(clock.time, ts);
    const { outcomes, refused } = pipeline.accept({ topic, payload });
    assert.equal(refused, undefined);
    for (const { payload: channels, reading, reduction } of outcomes) {
      const sent: Sent = { payload: channels, reading, step };
      if (reduction) {
        pass.kept.push(sent);
        pass.reportedError = reduction.maxError;
        reportedBytes = reduction.bytesOut;
      } else {
        pass.readings.push(sent);
      }
    }
  });
  const bytes = pass.kept.reduce((sum, { payload }) => sum + JSON.stringify(payload).length, 0);
  assert.equal(reportedBytes, bytes, 'the node reports other bytes than it sent');
  return pass;
}

/**
 * What would leave if each channel were decided by itself: one message for all channels of a moment that leave at the
 * same step.
 */
export function merge(passes: readonly Pass[]): Sent[] {
  const merged = new Map<string, Sent>();
  for (const { kept } of passes) {
    for (const sent of kept) {
      const key = `${sent.step} ${sent.reading.seq}`;
      const earlier = merged.get(key);
      merged.set(key, { ...sent, payload: { ...earlier?.payload, ...sent.payload } });
    }
  }
  return [...merged.values()].sort((a, b) => a.step - b.step || a.reading.seq - b.reading.seq);
}
