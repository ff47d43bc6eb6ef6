import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AlarmGate } from '../../../nodes/shared/detection/alarm';

test('without votes and hold-off every crossing is a detection of its own', () => {
  const gate = new AlarmGate('n', { votes: 1, voteWindow: 1, holdOffMs: 0 });
  assert.deepEqual(gate.judge(true, 0), { detected: true, announce: true });
  assert.deepEqual(gate.judge(false, 1), { detected: false, announce: false });
});

test('2 of 3 readings must exceed the threshold', () => {
  const gate = new AlarmGate('n', { votes: 2, voteWindow: 3, holdOffMs: 0 });
  const verdicts = [true, false, true, false, false, true, true].map((exceeds, ts) =>
    gate.judge(exceeds, ts),
  );
  assert.deepEqual(
    verdicts.map(({ detected }) => detected),
    [false, false, true, false, false, false, true],
  );
});

test('with a hold-off one event is one alert, with its start and its end', () => {
  const gate = new AlarmGate('press', { votes: 1, voteWindow: 1, holdOffMs: 10_000 });
  const phases = [
    [false, 0],
    [true, 1000],
    [true, 2000],
    [false, 5000],
    [true, 9000],
    [false, 18_000],
    [false, 19_000],
    [false, 20_000],
  ].map(([exceeds, ts]) => {
    const { announce, episode } = gate.judge(exceeds as boolean, ts as number);
    return [announce, episode?.phase];
  });
  assert.deepEqual(phases, [
    [false, undefined],
    [true, 'start'],
    [false, 'ongoing'],
    [false, 'ongoing'],
    [false, 'ongoing'],
    [false, 'ongoing'],
    [true, 'end'],
    [false, undefined],
  ]);
});

test('every start is followed by exactly one end before the next start, under one id', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ exceeds: fc.boolean(), gap: fc.integer({ min: 0, max: 20_000 }) })),
      fc.integer({ min: 1, max: 4 }),
      (readings, voteWindow) => {
        const gate = new AlarmGate('n', { votes: 1, voteWindow, holdOffMs: 5000 });
        let ts = 0;
        let open: string | undefined;
        for (const { exceeds, gap } of readings) {
          ts += gap;
          const { announce, episode } = gate.judge(exceeds, ts);
          assert.equal(announce, episode?.phase === 'start' || episode?.phase === 'end');
          if (episode?.phase === 'start') {
            assert.equal(open, undefined);
            open = episode.id;
          } else if (episode) {
            assert.equal(episode.id, open);
          }
          if (episode?.phase === 'end') {
            open = undefined;
          }
        }
      },
    ),
  );
});

test('an episode that began by a clock far ahead ends, and the next one is announced', () => {
  const gate = new AlarmGate('press', { votes: 1, voteWindow: 1, holdOffMs: 10_000 });
  const year = 365 * 86_400_000;
  const announced = (exceeds: boolean, ts: number): string | undefined => {
    const { announce, episode } = gate.judge(exceeds, ts);
    return announce ? episode?.phase : undefined;
  };
  assert.equal(announced(true, year), 'start');
  assert.equal(announced(false, 1000), undefined);
  assert.equal(announced(false, 11_000), 'end');
  assert.equal(announced(true, 12_000), 'start');
  // One that is merely late ends nothing.
  assert.equal(announced(false, 2000), undefined);
  assert.equal(announced(false, 13_000), undefined);
  assert.equal(announced(false, 22_000), 'end');
});
