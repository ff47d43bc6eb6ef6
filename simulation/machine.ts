import { hashString, SeededRandom } from '../nodes/shared/random';
import { vibrationRms, vibrationWaveform, type VibrationState } from './vibration';

/** Kinds of failure that the known-failure model has learned (AI4I 2020: TWF, HDF, PWF, OSF). */
export const FAILURE_MODES = ['tool-wear', 'heat-dissipation', 'power', 'overstrain'] as const;
/** Kinds of trouble that no label covers. */
export const NOVELTIES = ['bearing', 'coolant'] as const;
export const FAULTS = [...FAILURE_MODES, ...NOVELTIES] as const;
export type FailureMode = (typeof FAILURE_MODES)[number];
export type Novelty = (typeof NOVELTIES)[number];
export type Fault = (typeof FAULTS)[number];

/** One reading of a machine; the first six channels have the meaning and units of AI4I 2020 (Matzka, 2020). */
export interface Telemetry {
  /** Event time in ms since the Unix epoch. */
  ts: number;
  /** Product quality: 0 low, 1 medium, 2 high. */
  type: number;
  /** K */
  air_temperature: number;
  /** K */
  process_temperature: number;
  /** rpm */
  rotational_speed: number;
  /** Nm */
  torque: number;
  /** Minutes that the tool has cut. */
  tool_wear: number;
  /** A */
  spindle_current: number;
  /** bar */
  coolant_pressure: number;
  /** Root mean square of the spindle's acceleration, g. */
  vibration: number;
}

export interface MachineOptions {
  id: string;
  /** Machines with the same seed and different ids run independently. */
  seed: number;
  /** Product quality; default: drawn as in AI4I, 60 % low, 30 % medium, 10 % high. */
  type?: 0 | 1 | 2;
  /** Event time of the start in ms; default 2026-01-01 UTC. */
  startTs?: number;
}

/** How long each fault takes to develop in full, and to fade when it is over. */
export const RAMP_SECONDS: Readonly<Record<Fault, number>> = {
  'tool-wear': 3,
  'heat-dissipation': 8,
  power: 3,
  overstrain: 4,
  bearing: 8,
  coolant: 5,
};

/** Wear × torque (min Nm) above which a tool breaks, by product type. */
const STRAIN_LIMIT = [11_000, 12_000, 13_000] as const;
/** Share of the time that the tool cuts. */
const CUTTING_SHARE = 0.75;
/** Standard deviations in K: machines stand in warmer and cooler places, and each place changes little. */
const AIR_DRIFT = 0.3;
const HEAT_DRIFT = 0.1;
const RPM_TO_RADIANS = (2 * Math.PI) / 60;

const between = (from: number, to: number, share: number): number => from + (to - from) * share;
const bounded = (value: number, limit: number): number => Math.max(-limit, Math.min(limit, value));
const rounded = (value: number, perUnit: number): number => Math.round(value * perUnit) / perUnit;

/** A simulated CNC milling machine. The same options and calls give the same readings. */
export class Machine {
  readonly id: string;
  readonly type: 0 | 1 | 2;

  private readonly random: SeededRandom;
  /** Apart, so that taking a waveform does not change the readings. */
  private readonly waveformRandom: SeededRandom;
  private readonly startTs: number;
  private elapsed = 0;

  private readonly cycleSeconds: number;
  private readonly cyclePhase: number;
  private readonly hallTemperature: number;
  private readonly heatRise: number;
  private readonly cuttingGain: number;
  private airDrift: number;
  private heatDrift: number;
  private wear: number;
  private toolLife: number;

  private activeFault?: Fault;
  private faultEnd = 0;
  /** How far each fault has developed, 0–1. */
  private readonly level: Record<Fault, number>;
  /** Minutes cut by the worn-out tool that an injected fault puts into the spindle. */
  private wornTool = 0;
  /** Whether the power fault is a surge; else the load is lost. */
  private surge = false;
  private readonly shaking: VibrationState = { speed: 1545, cutting: 0.4, impact: 0 };

  constructor({ id, seed, type, startTs = Date.UTC(2026, 0, 1) }: MachineOptions) {
    this.id = id;
    this.startTs = startTs;
    this.random = new SeededRandom(seed, hashString(id));
    this.waveformRandom = new SeededRandom(seed, hashString(id), 1);
    const drawn = this.random.next();
    this.type = type ?? (drawn < 0.6 ? 0 : drawn < 0.9 ? 1 : 2);
    this.cycleSeconds = between(20, 40, this.random.next());
    this.cyclePhase = this.random.next();
    this.hallTemperature = between(297, 303, this.random.next());
    this.heatRise = 10.1 - 0.15 * (this.hallTemperature - 300);
    this.cuttingGain = between(0.0098, 0.0112, this.random.next());
    this.airDrift = this.noise(AIR_DRIFT);
    this.heatDrift = this.noise(HEAT_DRIFT);
    this.wear = between(5, 120, this.random.next());
    this.toolLife = this.nextToolLife();
    this.level = { 'tool-wear': 0, 'heat-dissipation': 0, power: 0, overstrain: 0, bearing: 0, coolant: 0 };
  }

  /** The fault that is injected now; its effects fade for a few seconds more when it is over. */
  get fault(): Fault | undefined {
    return this.activeFault;
  }

  /** Starts a fault that lasts for so many simulated seconds; it replaces one that is active. */
  inject(fault: Fault, seconds: number): void {
    if (!FAULTS.includes(fault) || !(seconds >= 0)) {
      throw new RangeError(`inject takes one of ${FAULTS.join(', ')} and seconds >= 0`);
    }
    this.activeFault = fault;
    this.faultEnd = this.elapsed + seconds;
    if (fault === 'tool-wear') {
      this.wornTool = 233;
    } else if (fault === 'overstrain') {
      this.wornTool = 192;
    } else if (fault === 'power') {
      // With an older tool the torque of a surge would overstrain it as well.
      this.surge = this.wear < 100;
    }
  }

  /** Lets simulated time pass and takes a reading. */
  step(seconds: number): Telemetry {
    if (!(seconds >= 0)) {
      throw new RangeError('step takes seconds >= 0');
    }
    this.advance(seconds);
    const { level } = this;

    // A cycle of heavy and light passes, on AI4I's curve of torque against speed: 4.5–8 kW throughout.
    const turn = 2 * Math.PI * (this.elapsed / this.cycleSeconds + this.cyclePhase);
    const load = 0.5 + 0.38 * Math.sin(turn) + 0.12 * Math.sin(2 * turn + 1);
    let speed = 1660 - 230 * load;
    let torque = 29 + 19 * load;
    let air = this.hallTemperature + this.airDrift;
    let rise = this.heatRise + this.heatDrift;
    let wear = this.wear;

    // Each fault pulls the machine from where it is to a point inside that failure's region of AI4I.
    if (level['tool-wear'] > 0) {
      wear = between(wear, this.wornTool, level['tool-wear']);
      torque = between(torque, 29 + 8 * load, level['tool-wear']);
    }
    if (level['heat-dissipation'] > 0) {
      // The fan fails: hot air stays around the machine, and the slow spindle moves little of it.
      air = between(air, 302.4 + 0.3 * (air - 300), level['heat-dissipation']);
      rise = between(rise, 7.8, level['heat-dissipation']);
      speed = between(speed, 1345 - 40 * load, level['heat-dissipation']);
      torque = between(torque, 47 + 7 * load, level['heat-dissipation']);
    }
    if (level.power > 0) {
      speed = between(speed, this.surge ? 1340 : 2700, level.power);
      torque = between(torque, this.surge ? 70 : 8 + 2 * load, level.power);
    }
    if (level.overstrain > 0) {
      // Far over the limit of a tool that is not yet due to wear out, at a power that the drive can give.
      const worn = Math.min(this.wornTool, 199);
      const overload = (1.12 * STRAIN_LIMIT[this.type]) / worn;
      wear = between(wear, worn, level.overstrain);
      torque = between(torque, overload, level.overstrain);
      speed = between(speed, 8400 / (overload * RPM_TO_RADIANS), level.overstrain);
    }

    // A harder spot in the workpiece takes more torque and slows the spindle.
    const hardness = this.noise(1);
    torque += 0.7 * hardness;
    speed += this.noise(5) - 5 * hardness;
    const wornEdge = 1 + 0.8 * Math.max(level['tool-wear'], level.overstrain);
    this.shaking.speed = speed;
    this.shaking.cutting = this.cuttingGain * torque * wornEdge;
    this.shaking.impact = 5 * level.bearing;
    air += this.noise(0.1);

    return {
      ts: this.startTs + Math.round(this.elapsed * 1000),
      type: this.type,
      air_temperature: rounded(air, 10),
      process_temperature: rounded(air + rise + this.noise(0.1), 10),
      rotational_speed: rounded(speed, 1),
      torque: rounded(torque, 10),
      tool_wear: rounded(wear, 10),
      spindle_current: rounded(4 + 0.22 * torque + 1.5 * level.bearing + this.noise(0.15), 100),
      coolant_pressure: rounded(4 - 1.8 * level.coolant + this.noise(0.03 + 0.3 * level.coolant), 100),
      vibration: rounded(vibrationRms(this.shaking) + this.noise(0.008), 1000),
    };
  }

  /** Vibration of the spindle in g, as at the last step. Take 5 kHz or more to see a bearing's impacts. */
  waveform(samples: number, sampleRate: number): Float32Array {
    return vibrationWaveform(this.shaking, samples, sampleRate, this.waveformRandom);
  }

  private advance(seconds: number): void {
    this.elapsed += seconds;
    if (this.elapsed >= this.faultEnd) {
      this.activeFault = undefined;
    }
    for (const fault of FAULTS) {
      const change = seconds / RAMP_SECONDS[fault];
      this.level[fault] =
        fault === this.activeFault
          ? Math.min(1, this.level[fault] + change)
          : Math.max(0, this.level[fault] - change);
    }

    const cutMinutes = (CUTTING_SHARE * seconds) / 60;
    this.wear += cutMinutes;
    this.wornTool += cutMinutes;
    if (this.wear >= this.toolLife) {
      this.wear = 0;
      this.toolLife = this.nextToolLife();
    }
    this.airDrift = this.wander(this.airDrift, AIR_DRIFT, 6 * 3600, seconds);
    this.heatDrift = this.wander(this.heatDrift, HEAT_DRIFT, 3600, seconds);
  }

  /** Tools are changed well before AI4I's tools begin to fail, at 200 min. */
  private nextToolLife(): number {
    return between(150, 170, this.random.next());
  }

  /** An Ornstein–Uhlenbeck walk around 0, exact for any length of step, bounded at 3 standard deviations. */
  private wander(value: number, deviation: number, timeConstant: number, seconds: number): number {
    const kept = Math.exp(-seconds / timeConstant);
    return bounded(value * kept + this.noise(deviation) * Math.sqrt(1 - kept * kept), 3 * deviation);
  }

  /** Gaussian, bounded at 3 standard deviations: no reading is an outlier by chance. */
  private noise(deviation: number): number {
    return deviation * bounded(this.random.normal(), 3);
  }
}
