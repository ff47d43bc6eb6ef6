import { SeededRandom } from '../../nodes/shared/random';
import { WAVEFORM_RATE, WAVEFORM_SAMPLES } from '../../simulation/commissioning';
import { Machine } from '../../simulation/machine';
import { vibrationWaveform } from '../../simulation/vibration';
import { drive, merge, type Message, type Pass } from './drive';
import { Errors, measure, METHODS, TOLERANCES, type Method } from './rebuild';
import { count, fewer, percent } from './figures';
import { Traffic } from './traffic';

const WINDOWS = 2000;
const SECONDS_BETWEEN = 5;
const START = Date.UTC(2026, 0, 1);
const TOPIC = 'plant1/cnc-01/vibration';
const CHANNEL = 'spindle';
/** Features whose tolerance is of the channel's span; the others' is of the value that is sent. */
const IN_CHANNEL_UNIT = new Set(['mean', 'std', 'min', 'max', 'rms', 'peak']);

const FEATURES = {
  "the node's defaults": ['mean', 'std', 'min', 'max', 'rms'],
  "the template's": ['rms', 'peak', 'crest', 'kurtosis', 'dominantFrequency'],
};

export const WAVEFORM_HEADER = [
  'series',
  'features',
  'method',
  'tolerance',
  'decided',
  'windows',
  'raw → features → reduced, bytes',
  'features alone',
  'reduction alone',
  'both',
  'PUBLISH, content message',
  'max error',
];

interface Waveforms {
  windows: readonly Message<Buffer>[];
  /** Of the samples. */
  range: { min: number; max: number };
  features: readonly string[];
}

interface Decided {
  by: string;
  features: Traffic;
  reduced: Traffic;
  errors: Errors;
}

/** Raw waveforms against their features, and those against the reduced stream; each step's share apart. */
export function waveformRows(): string[][] {
  const rows: string[][] = [];
  for (const [name, windows] of Object.entries({
    'steady cut, wearing': wearing(),
    'load cycle': loadCycle(),
  })) {
    const raw = new Traffic();
    windows.forEach(({ payload }) => raw.add(TOPIC, payload));
    const range = rangeOf(windows);
    for (const [set, features] of Object.entries(FEATURES)) {
      for (const method of METHODS) {
        for (const tolerance of TOLERANCES) {
          for (const decided of decide({ windows, range, features }, method, tolerance)) {
            rows.push([name, set, method, `${tolerance} %`, ...cells(raw, decided)]);
          }
        }
      }
    }
  }
  return rows;
}

/** The same windows decided by reading, by feature, and by feature with each one's own range as its span. */
function decide({ windows, range, features }: Waveforms, method: Method, tolerance: number): Decided[] {
  const pass = (properties: object): Pass =>
    drive({ format: 'float32', sampleRate: WAVEFORM_RATE, reduce: method, ...properties }, TOPIC, windows);
  const byPercent = (names: readonly string[]): Pass =>
    pass({
      features: names,
      tolerance,
      toleranceType: 'percent',
      channels: [{ name: CHANNEL, path: 'value', ...range }],
    });
  const spanOf = (key: string): number | undefined =>
    IN_CHANNEL_UNIT.has(key.slice(CHANNEL.length + 1)) ? range.max - range.min : undefined;

  const whole = byPercent(features);
  const apart = features.map((feature) => byPercent([feature]));
  const ownErrors = new Errors();
  const own = features.map((feature) => {
    const values = whole.readings.map(({ payload }) => payload[`${CHANNEL}.${feature}`]);
    const span = Math.max(...values) - Math.min(...values);
    const one = pass({
      features: [feature],
      tolerance: (tolerance / 100) * span,
      channels: [{ name: CHANNEL, path: 'value' }],
    });
    const told = { ...one, reportedError: (100 * one.reportedError) / span };
    ownErrors.join(measure(told, method, tolerance, () => span));
    return one;
  });
  const all = new Traffic().addAll(TOPIC, whole.readings);
  const decided = (by: string, passes: readonly Pass[], errors?: Errors): Decided => ({
    by,
    features: all,
    reduced: new Traffic().addAll(TOPIC, merge(passes)),
    errors:
      errors ?? passes.reduce((sum, one) => sum.join(measure(one, method, tolerance, spanOf)), new Errors()),
  });
  return [
    decided('by reading', [whole]),
    decided('by feature', apart),
    decided('by feature, of its own range', own, ownErrors),
  ];
}

function cells(raw: Traffic, { by, features, reduced, errors }: Decided): string[] {
  return [
    by,
    `${count(raw.messages)} → ${count(reduced.messages)}`,
    `${count(raw.payload)} → ${count(features.payload)} → ${count(reduced.payload)}`,
    percent(fewer(raw.payload, features.payload)),
    percent(fewer(features.payload, reduced.payload)),
    percent(fewer(raw.payload, reduced.payload), 2),
    `${percent(fewer(raw.publishPayload, features.publishMessage))} → ${percent(fewer(raw.publishPayload, reduced.publishMessage), 2)}`,
    errors.max.toFixed(3),
  ];
}

/** At one speed the tool dulls, and from four fifths on a bearing begins to ring. */
function wearing(): Message<Buffer>[] {
  const random = new SeededRandom(1);
  return windowsOf((index) => {
    const share = index / WINDOWS;
    const state = {
      speed: 1545 + 5 * random.normal(),
      cutting: 0.3 + 0.3 * share,
      impact: Math.max(0, 25 * (share - 0.8)),
    };
    return vibrationWaveform(state, WAVEFORM_SAMPLES, WAVEFORM_RATE, random);
  });
}

/** As the simulated line publishes them: speed and torque change from window to window; the bearing fails at the end. */
function loadCycle(): Message<Buffer>[] {
  const machine = new Machine({ id: 'cnc-01', seed: 1, startTs: START });
  return windowsOf((index) => {
    if (index === 0.95 * WINDOWS) {
      machine.inject('bearing', WINDOWS * SECONDS_BETWEEN);
    }
    machine.step(SECONDS_BETWEEN);
    return machine.waveform(WAVEFORM_SAMPLES, WAVEFORM_RATE);
  });
}

function windowsOf(take: (index: number) => Float32Array): Message<Buffer>[] {
  return Array.from({ length: WINDOWS }, (_, index) => ({
    ts: START + index * SECONDS_BETWEEN * 1000,
    payload: Buffer.from(take(index).buffer),
  }));
}

function rangeOf(windows: readonly Message<Buffer>[]): { min: number; max: number } {
  const range = { min: Infinity, max: -Infinity };
  for (const { payload } of windows) {
    for (let offset = 0; offset < payload.length; offset += 4) {
      const sample = payload.readFloatLE(offset);
      range.min = Math.min(range.min, sample);
      range.max = Math.max(range.max, sample);
    }
  }
  return range;
}
