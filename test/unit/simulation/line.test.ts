import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Line } from '../../../simulation/line';

it('a line names its machines and publishes a reading of each', () => {
  const line = new Line({ machines: 3, seed: 1, startTs: 1_000 });
  const published = line.step(1);
  assert.deepEqual(
    published.map(({ topic }) => topic),
    ['plant1/cnc-01/telemetry', 'plant1/cnc-02/telemetry', 'plant1/cnc-03/telemetry'],
  );
  assert.ok(published.every(({ payload }) => payload.ts === 2_000));
  assert.equal(line.waveformTopic(line.machines[1]), 'plant1/cnc-02/vibration');
});

it('a machine is found by its id, and what is injected there reaches no other', () => {
  const line = new Line({ machines: 2, seed: 1, site: 'hall' });
  line.machine('cnc-02')!.inject('coolant', 60);
  const published = Array.from({ length: 20 }, () => line.step(1)).at(-1)!;
  assert.ok(published[0].payload.coolant_pressure > 3.7);
  assert.ok(published[1].payload.coolant_pressure < 3.4);
  assert.equal(line.machine('cnc-03'), undefined);
});

it('a fleet of 3,000 has unique topics, types as in AI4I and the range of its temperatures', () => {
  const line = new Line({ machines: 3_000, seed: 7 });
  line.step(1);
  const published = line.step(1);
  assert.equal(new Set(published.map(({ topic }) => topic)).size, 3_000);
  assert.equal(published[0].topic, 'plant1/cnc-0001/telemetry');
  const share = (type: number): number =>
    published.filter(({ payload }) => payload.type === type).length / 3_000;
  assert.ok(Math.abs(share(0) - 0.6) < 0.04 && Math.abs(share(2) - 0.1) < 0.03);
  const air = published.map(({ payload }) => payload.air_temperature);
  assert.ok(Math.max(...air) - Math.min(...air) > 5);
});
