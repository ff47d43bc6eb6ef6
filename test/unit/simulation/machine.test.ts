import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  FAILURE_MODES,
  Machine,
  NOVELTIES,
  RAMP_SECONDS,
  type Fault,
  type Novelty,
  type Telemetry,
} from '../../../simulation/machine';
import { physicsOf, regionsOf } from './regions';

const SEED = 20_26;
const AI4I_CHANNELS = [
  'type',
  'air_temperature',
  'process_temperature',
  'rotational_speed',
  'torque',
  'tool_wear',
] as const;

function machines(count: number, type?: 0 | 1 | 2): Machine[] {
  return Array.from({ length: count }, (_, index) => new Machine({ id: `m-${index}`, seed: SEED, type }));
}

function take(machine: Machine, count: number, seconds = 1): Telemetry[] {
  return Array.from({ length: count }, () => machine.step(seconds));
}

function moments(values: number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(square) };
}

function assertRange(value: number, from: number, to: number, what: string, reading: Telemetry): void {
  if (!(value >= from && value <= to)) {
    assert.fail(`${what} ${value} of ${JSON.stringify(reading)}, seed ${SEED}`);
  }
}

describe('a healthy machine', () => {
  it('stays clear of every failure region for a working day, through tool changes', () => {
    for (const machine of machines(60)) {
      let toolChanges = 0;
      let lastWear = 0;
      for (const reading of take(machine, 5760, 5)) {
        const { difference, power, strain } = physicsOf(reading);
        assertRange(reading.air_temperature, 295.5, 304.5, 'air temperature', reading);
        assertRange(difference, 8.8, 12, 'temperature difference', reading);
        assertRange(reading.rotational_speed, 1400, 1700, 'speed', reading);
        assertRange(power, 4500, 8000, 'power', reading);
        assertRange(reading.tool_wear, 0, 175, 'tool wear', reading);
        assertRange(strain, 0, 0.8, 'strain', reading);
        assertRange(reading.spindle_current, 9, 15.5, 'spindle current', reading);
        assertRange(reading.coolant_pressure, 3.75, 4.15, 'coolant pressure', reading);
        assertRange(reading.vibration, 0.25, 0.5, 'vibration', reading);
        toolChanges += reading.tool_wear < lastWear ? 1 : 0;
        lastWear = reading.tool_wear;
      }
      assert.ok(toolChanges >= 2 && toolChanges <= 4, `${toolChanges} tool changes in 8 h of ${machine.id}`);
    }
  });

  // Of independent readings, 2 in 101 lie outside the range of the first 100 on average; temperatures drift.
  for (const [channel, share] of [
    ['air_temperature', 0.15],
    ['process_temperature', 0.15],
    ['rotational_speed', 0.03],
    ['torque', 0.03],
    ['spindle_current', 0.03],
    ['coolant_pressure', 0.03],
    ['vibration', 0.03],
  ] as const) {
    it(`shows in 100 readings the ${channel} that it has in the hour after`, () => {
      const outside = machines(40).map((machine) => {
        const known = take(machine, 100).map((reading) => reading[channel]);
        const [low, high] = [Math.min(...known), Math.max(...known)];
        const later = take(machine, 3600).map((reading) => reading[channel]);
        return later.filter((value) => value < low || value > high).length / later.length;
      });
      const { mean } = moments(outside);
      assert.ok(mean <= share, `${mean} outside, seed ${SEED}`);
    });
  }

  it('takes more torque at lower speed, and current and vibration follow the torque', () => {
    const [machine] = machines(1);
    const readings = take(machine, 600);
    const correlation = (first: keyof Telemetry, second: keyof Telemetry): number => {
      const [x, y] = [readings.map((r) => r[first]), readings.map((r) => r[second])];
      const [mx, my] = [moments(x), moments(y)];
      const product = x.reduce((sum, value, i) => sum + (value - mx.mean) * (y[i] - my.mean), 0);
      return product / x.length / mx.deviation / my.deviation;
    };
    assert.ok(correlation('torque', 'rotational_speed') < -0.9);
    assert.ok(correlation('torque', 'spindle_current') > 0.9);
    assert.ok(correlation('torque', 'vibration') > 0.7);
  });
});

describe('an injected failure', () => {
  for (const mode of FAILURE_MODES) {
    it(`${mode}: in its own region alone, within ${RAMP_SECONDS[mode]} s, and out of it as soon`, () => {
      const duration = 60;
      for (const type of [0, 1, 2] as const) {
        for (const [index, machine] of machines(25, type).entries()) {
          machine.step(index * 211);
          machine.inject(mode, duration);
          for (let tick = 1; tick <= 4 * (duration + 15); tick++) {
            const seconds = tick / 4;
            const reading = machine.step(0.25);
            const regions = regionsOf(reading);
            const what = `${JSON.stringify(reading)} after ${seconds} s, seed ${SEED}`;
            assert.ok(!regions.some((region) => region !== mode), what);
            assert.equal(machine.fault, seconds < duration ? mode : undefined);
            if (seconds >= RAMP_SECONDS[mode] && seconds < duration) {
              assert.deepEqual(regions, [mode], what);
            } else if (seconds >= duration + RAMP_SECONDS[mode]) {
              assert.deepEqual(regions, [], what);
            }
          }
        }
      }
    });
  }

  it('stays in its own region for as long as half an hour', () => {
    for (const mode of FAILURE_MODES) {
      for (const machine of [...machines(10, 0), ...machines(10, 1), ...machines(10, 2)]) {
        machine.inject(mode, 1801);
        take(machine, RAMP_SECONDS[mode]);
        for (const reading of take(machine, 1800 - RAMP_SECONDS[mode])) {
          assert.deepEqual(regionsOf(reading), [mode], `${JSON.stringify(reading)}, seed ${SEED}`);
        }
      }
    }
  });

  it('takes over from the one before it', () => {
    const [machine] = machines(1);
    machine.inject('overstrain', 60);
    take(machine, 10);
    machine.inject('heat-dissipation', 30);
    take(machine, 10);
    assert.deepEqual(regionsOf(machine.step(1)), ['heat-dissipation']);
    take(machine, 30);
    assert.deepEqual(regionsOf(machine.step(1)), []);
  });

  it('is refused when it has no such name, and nothing changes', () => {
    const [machine] = machines(1);
    assert.throws(() => machine.inject('rust' as Fault, 10), /tool-wear, heat-dissipation/);
    assert.throws(() => machine.inject('power', NaN), RangeError);
    assert.throws(() => machine.step(-1), RangeError);
    assert.deepEqual(machine.step(1), machines(1)[0].step(1));
  });
});

describe('a novelty', () => {
  const ownChannel = { bearing: 'vibration', coolant: 'coolant_pressure' } as const;
  const farOff = { bearing: 12, coolant: 20 };
  const steady: Record<Novelty, (keyof Telemetry)[]> = {
    bearing: ['coolant_pressure'],
    coolant: ['vibration', 'spindle_current'],
  };
  for (const novelty of NOVELTIES) {
    it(`${novelty}: moves ${ownChannel[novelty]} far off and leaves the channels of AI4I as they were`, () => {
      const twins = machines(20);
      for (const [index, machine] of machines(20).entries()) {
        const channel = ownChannel[novelty];
        const healthy = moments(take(machine, 200).map((reading) => reading[channel]));
        take(twins[index], 200);
        machine.inject(novelty, 60);
        const distances: number[] = [];
        for (let second = 1; second < 60; second++) {
          const [reading, twin] = [machine.step(1), twins[index].step(1)];
          for (const same of [...AI4I_CHANNELS, ...steady[novelty]]) {
            assert.equal(reading[same], twin[same], same);
          }
          if (second >= RAMP_SECONDS[novelty]) {
            distances.push(Math.abs(reading[channel] - healthy.mean) / healthy.deviation);
          }
        }
        const { mean } = moments(distances);
        assert.ok(mean > farOff[novelty], `${mean} standard deviations on ${machine.id}, seed ${SEED}`);
        take(machine, RAMP_SECONDS[novelty]);
        take(twins[index], RAMP_SECONDS[novelty]);
        assert.deepEqual(machine.step(1), twins[index].step(1), 'as healthy as its twin afterwards');
      }
    });
  }

  it('coolant: the pressure fluctuates as well as sags', () => {
    const [machine] = machines(1);
    const healthy = moments(take(machine, 200).map((reading) => reading.coolant_pressure));
    machine.inject('coolant', 120);
    take(machine, 10);
    const failing = moments(take(machine, 100).map((reading) => reading.coolant_pressure));
    assert.ok(failing.deviation > 4 * healthy.deviation);
    assert.ok(failing.mean < 3);
  });
});

describe('the same seed', () => {
  const script = (machine: Machine, waveforms: boolean): Telemetry[] => {
    const readings = take(machine, 50);
    machine.inject('coolant', 20);
    if (waveforms) {
      machine.waveform(256, 10_000);
    }
    return [...readings, ...take(machine, 50, 0.5)];
  };

  it('gives the same readings, whether or not waveforms are taken', () => {
    const [first, second] = [...machines(1), ...machines(1)];
    assert.deepEqual(script(first, false), script(second, true));
    assert.deepEqual(
      new Machine({ id: 'a', seed: 1 }).waveform(64, 8000),
      new Machine({ id: 'a', seed: 1 }).waveform(64, 8000),
    );
  });

  it('gives other readings to another machine, and another seed to the same one', () => {
    const readings = (id: string, seed: number): Telemetry[] => take(new Machine({ id, seed }), 3);
    assert.notDeepEqual(readings('a', 1), readings('b', 1));
    assert.notDeepEqual(readings('a', 1), readings('a', 2));
  });

  it('advances event time by what was stepped, from the start that was given', () => {
    const machine = new Machine({ id: 'a', seed: 1, startTs: 5_000 });
    assert.deepEqual(
      [0.25, 0.25, 2].map((seconds) => machine.step(seconds).ts),
      [5_250, 5_500, 7_500],
    );
  });
});
