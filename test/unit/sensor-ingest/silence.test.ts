import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SilenceWatch, type SourceEvent } from '../../../nodes/sensor-ingest/sources';
import { bench, NOON } from './support';

test('a source that falls silent is reported once, and again when it returns', () => {
  const { pipeline, clock } = bench({ silence: 10 });
  const events: SourceEvent[] = [];
  const watch = new SilenceWatch(pipeline.sources, 10_000, clock, (event) => events.push(event));
  const hear = (topic: string): void => {
    events.push(...pipeline.accept({ topic, payload: 1 } as object).events);
  };
  watch.start();
  hear('a');
  hear('b');
  clock.advance(6000);
  hear('b');
  clock.advance(4100);
  assert.deepEqual(events, [{ type: 'SILENT', source: 'a', since: NOON }]);
  clock.advance(60_000);
  assert.deepEqual(events.slice(1), [{ type: 'SILENT', source: 'b', since: NOON + 6000 }]);
  assert.equal(pipeline.sources.silentCount, 2);
  hear('a');
  hear('a');
  assert.deepEqual(events.slice(2), [{ type: 'RETURNED', source: 'a', since: NOON }]);
  clock.advance(10_100);
  assert.equal(events.at(-1)?.type, 'SILENT');
  watch.stop();
  hear('b');
  clock.advance(60_000);
  assert.equal(events.filter(({ source }) => source === 'b').length, 2);
});
