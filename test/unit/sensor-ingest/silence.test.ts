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

test('all sources of a large node that fall silent at once are reported in a moment', () => {
  const count = 30_000;
  const { pipeline, clock } = bench({ silence: 10, maxSources: count });
  const counts: number[] = [];
  const watch = new SilenceWatch(pipeline.sources, 10_000, clock, () => {
    counts.push(pipeline.sources.silentCount);
  });
  for (let source = 0; source < count; source++) {
    pipeline.accept({ topic: `source ${source}`, payload: 1 } as object);
  }
  watch.start();
  const began = performance.now();
  clock.advance(10_100);
  const spentMs = performance.now() - began;
  watch.stop();
  assert.deepEqual([counts.length, counts[0], counts.at(-1)], [count, 1, count]);
  // Looking through all of them for each takes seconds.
  assert.ok(spentMs < 500, `${spentMs} ms`);
});
