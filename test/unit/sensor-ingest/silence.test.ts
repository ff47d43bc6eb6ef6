import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIngestConfig } from '../../../nodes/sensor-ingest/config';
import { QuietWatch, quietWatches } from '../../../nodes/sensor-ingest/quiet-watch';
import type { SourceEvent } from '../../../nodes/sensor-ingest/sources';
import { bench, NOON } from './support';

test('a source that falls silent is reported once, and again when it returns', () => {
  const { pipeline, clock } = bench({ silence: 10 });
  const events: SourceEvent[] = [];
  const watch = new QuietWatch(
    pipeline.sources,
    10_000,
    clock,
    (state) => !state.silent,
    (state) => events.push(pipeline.sources.quiet(state)),
  );
  const hear = (topic: string): void => {
    events.push(...pipeline.accept({ topic, payload: 1 }).events);
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
  const watch = new QuietWatch(
    pipeline.sources,
    10_000,
    clock,
    (state) => !state.silent,
    (state) => {
      pipeline.sources.quiet(state);
      counts.push(pipeline.sources.silentCount);
    },
  );
  for (let source = 0; source < count; source++) {
    pipeline.accept({ topic: `source ${source}`, payload: 1 });
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

test('what the swinging door holds back is let out when its source falls quiet', () => {
  const properties = { reduce: 'swinging-door', tolerance: 0.5, heartbeat: 60 };
  const { pipeline, clock, take } = bench(properties);
  const released: number[] = [];
  const [watch] = quietWatches(parseIngestConfig(properties), pipeline, clock, {
    silent: () => assert.fail(),
    released(_state, { outcomes }) {
      released.push(...outcomes.map(({ payload }) => payload.v));
      assert.ok(outcomes.every(({ reduction }) => reduction));
    },
  });
  watch.start();
  const sent: number[] = [];
  for (const v of [0, 0, 0, 0, 100]) {
    clock.advance(1000);
    sent.push(
      ...take({ ts: clock.now(), v }).flatMap(({ reduction, payload }) => (reduction ? [payload.v] : [])),
    );
  }
  assert.deepEqual(sent, [0, 0], 'the step is the beginning of a line that may go on');
  clock.advance(59_000);
  assert.deepEqual(released, []);
  clock.advance(2000);
  assert.deepEqual(released, [100]);
  clock.advance(600_000);
  assert.deepEqual(released, [100]);
  watch.stop();
});
