/**
 * Writes features of simulated vibration windows as CSV, for bearing_autoencoder.py:
 *
 *     node dist/models/train/vibration-windows.js --out /tmp/vibration-windows.csv [--seed 1]
 *
 * The features are those of sensor-ingest, computed by its own code. Sound windows come from simulated machines and
 * from the whole range of a CNC spindle; faulty ones are the same with something added. No window is in two splits,
 * and neither is a machine. The same seed gives the same file.
 */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { FeatureExtractor, featureKeys, parseFeature } from '../../nodes/sensor-ingest/features/features';
import { hashString, SeededRandom } from '../../nodes/shared/random';
import { Machine } from '../../simulation/machine';
import { vibrationWaveform, type VibrationState } from '../../simulation/vibration';

const CHANNEL = 'vibration';
const SAMPLES = 1024;
const SAMPLE_RATE = 12_800;
/** What sensor-ingest is asked for; the model card repeats it. */
const FEATURES = [
  'rms',
  'crest',
  'kurtosis',
  'dominantFrequency',
  'spectralCentroid',
  'band:0-35',
  'band:35-75',
  'band:75-250',
  'band:250-1000',
  'band:1000-1750',
  'band:1750-2250',
  'band:2250-6400',
];

const HEALTHY_WINDOWS = { train: 100_000, calibrate: 200_000, test: 200_000 };
const WINDOWS_PER_SEVERITY = 2000;

/** How hard each fault shakes, in g: the impact's height, or the amplitude of what is added. */
const SEVERITIES = {
  bearing: [0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5],
  unbalance: [0.1, 0.2, 0.3, 0.4, 0.6, 1],
  misalignment: [0.05, 0.1, 0.2, 0.3, 0.5],
  looseness: [0.02, 0.05, 0.1, 0.2, 0.4],
};
type Fault = keyof typeof SEVERITIES;
type Regime = 'machines' | 'range' | 'idle';

/** Orders of the shaft that a fault adds, with their share of its amplitude. */
const ADDED_ORDERS: Record<Fault, readonly (readonly [order: number, share: number])[]> = {
  bearing: [],
  unbalance: [[1, 1]],
  misalignment: [
    [1, 0.4],
    [2, 1],
  ],
  looseness: [
    [0.5, 1],
    [1.5, 0.7],
    ...[3, 4, 5, 6, 7, 8, 9, 10].map((order) => [order, 1 - 0.08 * (order - 3)] as const),
  ],
};

const RPM_TO_RADIANS = (2 * Math.PI) / 60;
/** The speeds of AI4I 2020's machines, and cutting powers from a light finishing pass to its limit. */
const SPEED_RPM = [1150, 2900] as const;
const POWER_W = [500, 9000] as const;
/** g of the cutting force per Nm, as the simulated machines have it. */
const CUTTING_GAIN = [0.0098, 0.0112] as const;
/** Of the sound windows: at the simulated machines' own work, anywhere in the range, and turning without cutting. */
const REGIME_SHARE = { machines: 0.5, range: 0.4 };

class WindowSource {
  private readonly random: SeededRandom;
  private machine?: Machine;
  private machines = 0;
  private takenFromMachine = 0;

  constructor(
    private readonly seed: number,
    private readonly name: string,
  ) {
    this.random = new SeededRandom(seed, hashString(name));
  }

  state(): { regime: Regime; state: VibrationState } {
    const draw = this.random.next();
    if (draw < REGIME_SHARE.machines) {
      return { regime: 'machines', state: this.machineState() };
    }
    const speed = this.between(SPEED_RPM);
    if (draw < REGIME_SHARE.machines + REGIME_SHARE.range) {
      const torque = this.between(POWER_W) / (speed * RPM_TO_RADIANS);
      return { regime: 'range', state: { speed, cutting: torque * this.between(CUTTING_GAIN), impact: 0 } };
    }
    return { regime: 'idle', state: { speed, cutting: 0, impact: 0 } };
  }

  waveform(state: VibrationState, fault?: Fault, severity = 0): Float32Array {
    const impact = fault === 'bearing' ? severity : 0;
    const waveform = vibrationWaveform({ ...state, impact }, SAMPLES, SAMPLE_RATE, this.random);
    // A vector is added to what the shaft shakes anyway: at a random angle, as a fault has.
    for (const [order, share] of fault ? ADDED_ORDERS[fault] : []) {
      const phase = 2 * Math.PI * this.random.next();
      const step = (RPM_TO_RADIANS * state.speed * order) / SAMPLE_RATE;
      for (let i = 0; i < SAMPLES; i++) {
        waveform[i] += severity * share * Math.sin(phase + step * i);
      }
    }
    return waveform;
  }

  /** A moment of one of the simulated machines, each of which serves for a while. */
  private machineState(): VibrationState {
    if (!this.machine || this.takenFromMachine === 100) {
      this.machine = new Machine({ id: `${this.name}-${this.machines++}`, seed: this.seed });
      this.takenFromMachine = 0;
    }
    this.takenFromMachine++;
    const { rotational_speed, torque } = this.machine.step(1 + 30 * this.random.next());
    return { speed: rotational_speed, cutting: torque * this.between(CUTTING_GAIN), impact: 0 };
  }

  private between([from, to]: readonly [number, number]): number {
    return from + (to - from) * this.random.next();
  }
}

class CsvWriter {
  private readonly extractor = new FeatureExtractor(FEATURES.map(parseFeature), SAMPLE_RATE);
  private readonly keys = featureKeys(CHANNEL, this.extractor.features);
  private readonly stream;
  private pending: string[] = [];

  constructor(file: string) {
    this.stream = createWriteStream(file);
    this.pending.push(['split', 'case', 'severity', 'regime', ...this.keys].join(','));
  }

  async write(labels: readonly (string | number)[], waveform: Float32Array): Promise<void> {
    const features: Record<string, number> = {};
    this.extractor.compute(waveform, waveform.length, this.keys, features);
    this.pending.push([...labels, ...this.keys.map((key) => Number(features[key].toPrecision(9)))].join(','));
    if (this.pending.length >= 1000) {
      await this.flush();
    }
  }

  async end(): Promise<void> {
    await this.flush();
    this.stream.end();
    await once(this.stream, 'finish');
  }

  private async flush(): Promise<void> {
    const text = this.pending.join('\n') + '\n';
    this.pending = [];
    if (!this.stream.write(text)) {
      await once(this.stream, 'drain');
    }
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { out: { type: 'string' }, seed: { type: 'string', default: '1' } },
  });
  const seed = Number(values.seed);
  if (values.out === undefined || !Number.isInteger(seed)) {
    throw new Error('Usage: vibration-windows --out <file.csv> [--seed <integer>]');
  }
  const csv = new CsvWriter(values.out);
  for (const [split, windows] of Object.entries(HEALTHY_WINDOWS)) {
    const source = new WindowSource(seed, split);
    for (let i = 0; i < windows; i++) {
      const { regime, state } = source.state();
      await csv.write([split, 'healthy', 0, regime], source.waveform(state));
    }
  }
  for (const fault of Object.keys(SEVERITIES) as Fault[]) {
    const source = new WindowSource(seed, fault);
    for (const severity of SEVERITIES[fault]) {
      for (let i = 0; i < WINDOWS_PER_SEVERITY; i++) {
        const { regime, state } = source.state();
        await csv.write(['test', fault, severity, regime], source.waveform(state, fault, severity));
      }
    }
  }
  await csv.end();
}

void main();
