import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LITTLE, MOST_ROOMY, MUCH, ScoreLog, SETTLED_MS } from '../../../nodes/iso-forest/live/score-log';
import { topChannels } from '../../../nodes/iso-forest/live/top-channels';
import type { Contribution, Detection } from '../../../nodes/shared/messages';
import { StillClock } from './support';

function detection(source: string, ts: number, fields: Partial<Detection> = {}): Detection {
  return {
    detector: 'iso-forest',
    node: 'forest',
    status: 'OPERATIONAL',
    score: 0.4,
    threshold: 0.625,
    source,
    ts,
    latencyMs: 0,
    ...fields,
  };
}

const flagged = { status: 'MAINTENANCE_REQUIRED', kind: 'NOVEL_ANOMALY', score: 0.75 } as const;

function logOf(): { clock: StillClock; log: ScoreLog; fill: (source: string, count: number) => void } {
  const clock = new StillClock();
  const log = new ScoreLog(() => clock.monotonic());
  const fill = (source: string, count: number): void => {
    for (let ts = 0; ts < count; ts++) {
      log.record(detection(source, ts));
    }
  };
  return { clock, log, fill };
}

test('a reading is remembered with its threshold and what became of it; one without a score is not', () => {
  const { log } = logOf();
  log.record(detection('m', 1, { status: 'LEARNING', score: null, threshold: null }));
  log.record(detection('m', 2, { threshold: null, score: 0.1 }));
  log.record(detection('m', 3, flagged));
  log.record(detection('m', 4, { status: 'SUPPRESSED', score: 0.875 }));
  assert.deepEqual(
    log.look('m').points.map(({ ts, score, threshold, outcome }) => [ts, score, threshold, outcome]),
    [
      [2, 0.1, null, 'clear'],
      [3, 0.75, 0.625, 'flagged'],
      [4, 0.875, 0.625, 'suppressed'],
    ],
  );
  assert.deepEqual(log.look('stranger').points, []);
});

test('the first sources are remembered long, the others shortly, and the latest readings stay', () => {
  const { log, fill } = logOf();
  for (let i = 0; i <= MOST_ROOMY; i++) {
    fill(`m${i}`, MUCH + 50);
  }
  const { points } = log.look('m0');
  assert.deepEqual([points.length, points[0].ts, points[MUCH - 1].ts], [MUCH, 50, MUCH + 49]);
  const short = log.look(`m${MOST_ROOMY}`).points;
  assert.deepEqual([short.length, short[0].ts], [LITTLE, MUCH + 50 - LITTLE]);
});

test('a source that is looked at gets room for more, with what there is of it', () => {
  const { log, fill } = logOf();
  for (let i = 0; i <= MOST_ROOMY; i++) {
    fill(`m${i}`, 100);
  }
  const last = `m${MOST_ROOMY}`;
  assert.equal(log.look(last).points.length, LITTLE);
  log.record(detection(last, 100));
  const { points } = log.look(last);
  assert.deepEqual([points.length, points[0].ts, points[LITTLE].ts], [LITTLE + 1, 100 - LITTLE, 100]);
  assert.equal(log.look('m0').points.length, LITTLE, 'it came from the one that nobody wanted');
});

test('a site on which everything is flagged does not move room about', () => {
  const { clock, log } = logOf();
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 2 * MOST_ROOMY; i++) {
      log.record(detection(`m${i}`, round, flagged));
    }
  }
  for (let ts = 2; ts <= 100; ts++) {
    log.record(detection(`m${MOST_ROOMY}`, ts, flagged));
  }
  const bytes = log.bytes;
  assert.equal(log.look('m0').points.length, 2);
  clock.advance(SETTLED_MS + 1);
  for (let ts = 101; ts <= 200; ts++) {
    log.record(detection(`m${MOST_ROOMY}`, ts, flagged));
  }
  assert.equal(log.bytes, bytes, 'room moved, none was added');
  assert.equal(log.look(`m${MOST_ROOMY}`).points.length, LITTLE + 100);
});

test('a source costs a kilobyte and a half, however many there are', () => {
  const { log, fill } = logOf();
  const before = log.bytes;
  for (let i = 0; i < 3000; i++) {
    fill(`m${i}`, 10);
  }
  assert.equal(before, 0);
  assert.ok(log.bytes / 3000 < 1500, `${log.bytes / 3000} bytes a source`);
});

test('sources that were flagged are listed, the latest first; those that are gone are forgotten', () => {
  const { log } = logOf();
  for (const source of ['a', 'b', 'c', 'a']) {
    log.record(detection(source, 1, flagged));
  }
  assert.deepEqual(log.flaggedLately(), ['a', 'c', 'b']);
  log.keepOnly((source) => source !== 'c');
  assert.deepEqual(log.flaggedLately(), ['a', 'b']);
  assert.deepEqual(log.look('c').points, []);
  for (let i = 0; i < 500; i++) {
    log.record(detection(`m${i}`, 1, flagged));
  }
  assert.equal(log.flaggedLately().length, 200);
});

test('the channels with the largest part in the flagged readings, with their latest values', () => {
  const { log } = logOf();
  const part = (channel: string, share: number, value: number): Contribution => ({
    channel,
    share,
    value,
    expected: 1,
  });
  log.record(detection('m', 1, { ...flagged, contributions: [part('x', 0.75, 5), part('y', 0.25, 2)] }));
  log.record(detection('m', 2, { ...flagged, contributions: [part('y', 0.5, NaN), part('x', 0.5, 6)] }));
  log.record(detection('m', 3));
  assert.deepEqual(topChannels(log.look('m').explained), [
    { channel: 'x', share: 0.625, value: 6, expected: 1 },
    { channel: 'y', share: 0.375, value: null, expected: 1 },
  ]);
  for (let ts = 0; ts < 50; ts++) {
    log.record(detection('m', ts, { ...flagged, contributions: [part('z', 1, ts)] }));
  }
  const { explained } = log.look('m');
  assert.equal(explained.length, 20, 'bounded');
  assert.deepEqual(topChannels(explained), [{ channel: 'z', share: 1, value: 49, expected: 1 }]);
});
