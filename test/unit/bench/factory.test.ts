import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, poissonInterval, shareInterval } from '../../../bench/factory/judge';
import { overAt, planIncidents } from '../../../bench/factory/plan';
import { byStage } from '../../../bench/factory/stages';
import type { Played } from '../../../bench/factory/protocol';
import type { TimedAlert } from '../../../bench/factory/site';

function incident(id: number, machine: number, of: Partial<Played>): Played {
  return {
    ...{ id, machine, class: 'known', what: 'power', from: 0, seconds: 20, beganAt: 1000, overAt: 2000 },
    ...of,
  };
}

function alert(source: string, publishedAt: number, kind = 'NOVEL_ANOMALY', phase = 'start'): TimedAlert {
  return {
    ...{ source, publishedAt, kind, phase, at: publishedAt + 5, ts: publishedAt },
    ...{ seq: 1, detector: 'iso-forest', latencyMs: 1 },
  };
}

test('incidents are the same for the same seed, and no machine has two at a time', () => {
  const plan = planIncidents(7, 50, 200, 1);
  assert.deepEqual(plan, planIncidents(7, 50, 200, 1));
  assert.notDeepEqual(plan, planIncidents(8, 50, 200, 1));
  assert.deepEqual([...new Set(plan.map((each) => each.class))].sort(), ['benign', 'known', 'novel']);
  for (const [at, each] of plan.entries()) {
    const next = plan.slice(at + 1).find(({ machine }) => machine === each.machine);
    assert.ok(!next || next.from > overAt(each));
  }
});

test('an episode belongs to the incident of its machine and time, and is false otherwise', () => {
  const found = judge(
    [
      alert('line1/cnc-0001/telemetry', 1500, 'KNOWN_FAILURE'),
      alert('line2/cnc-0002/vibration', 1500),
      // A novel alert does not find a known failure, and the end of an episode finds nothing.
      alert('line3/cnc-0003/telemetry', 1500),
      alert('line4/cnc-0004/telemetry', 1500, 'KNOWN_FAILURE', 'end'),
      alert('line1/cnc-0005/telemetry', 1500),
      alert('line1/cnc-0001/telemetry', 2500),
      alert('line2/cnc-0002/vibration', 999),
    ],
    [
      incident(0, 0, {}),
      incident(1, 1, { class: 'novel', what: 'bearing' }),
      incident(2, 2, {}),
      incident(3, 3, {}),
      incident(4, 4, { class: 'benign', what: 'warm-hall' }),
      // Not over when the run ended: found or not, it does not count.
      incident(5, 5, { overAt: undefined }),
    ],
  );
  assert.deepEqual(found.byClass, {
    known: { incidents: 3, found: 1 },
    novel: { incidents: 1, found: 1 },
  });
  assert.equal(found.knownByAny, 2);
  assert.deepEqual(found.falseEpisodes, { telemetry: 2, waves: 1 });
  assert.equal(found.inBenign, 1);
});

test('the intervals are the exact ones', () => {
  const close = ([low, high]: [number, number], wanted: [number, number]): void => {
    assert.ok(Math.abs(low - wanted[0]) < 1e-3 && Math.abs(high - wanted[1]) < 1e-3, `${low}–${high}`);
  };
  // Garwood 1936, Clopper and Pearson 1934, as in common tables.
  close(poissonInterval(0), [0, 3.689]);
  close(poissonInterval(10), [4.795, 18.39]);
  close(shareInterval({ incidents: 10, found: 10 }), [0.6915, 1]);
  close(shareInterval({ incidents: 20, found: 15 }), [0.509, 0.9134]);
});

test('a profile is divided among the files, and native functions belong to their callers', () => {
  const frame = (functionName: string, url: string): object => ({
    callFrame: { functionName, url, scriptId: '0', lineNumber: 0, columnNumber: 0 },
  });
  const micros = byStage(
    {
      startTime: 0,
      endTime: 100,
      nodes: [
        { id: 1, ...frame('(root)', ''), children: [2, 4, 5] },
        { id: 2, ...frame('score', 'file:///x/dist/nodes/iso-forest/forest/forest.js'), children: [3] },
        { id: 3, ...frame('sort', '') },
        { id: 4, ...frame('(idle)', '') },
        { id: 5, ...frame('toString', 'file:///x/node_modules/mqtt/build/index.js') },
      ] as never,
      samples: [2, 3, 4, 5],
      timeDeltas: [20, 10, 60, 10],
    },
    80,
  );
  assert.deepEqual(micros, { 'novel anomalies: score': 60, 'MQTT.js': 20 });
});
