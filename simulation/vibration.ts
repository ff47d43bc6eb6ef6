import type { SeededRandom } from '../nodes/shared/random';

/** What shakes the spindle at one moment; amplitudes are peak values in g. */
export interface VibrationState {
  /** Spindle speed in rpm. */
  speed: number;
  /** Amplitude at the tool-pass frequency: the cutting force. */
  cutting: number;
  /** Height of the ringing after each ball passes a defect; 0 for a sound bearing. */
  impact: number;
}

/** Amplitudes in g of the first harmonics of the shaft: unbalance, misalignment, looseness. */
const SHAFT_HARMONICS = [0.22, 0.12, 0.06];
const TEETH = 4;
const NOISE = 0.15;
/** Outer-race passes per revolution (BPFO) of a 6205 deep-groove ball bearing. */
const BALL_PASSES = 3.585;
const RESONANCE_HZ = 2000;
const RING_SECONDS = 0.0012;
/** Balls strike unevenly: each impact is this share higher or lower at most. */
const IMPACT_SPREAD = 0.3;

/** The root mean square in g that {@link vibrationWaveform} has on average, in closed form. */
export function vibrationRms({ speed, cutting, impact }: VibrationState): number {
  let meanSquare = NOISE ** 2 + cutting ** 2 / 2;
  for (const amplitude of SHAFT_HARMONICS) {
    meanSquare += amplitude ** 2 / 2;
  }
  // The square of a decaying sine a·e^(−t/τ)·sin(ωt) sums to a²τ/4 where ωτ is large.
  const impactsPerSecond = (BALL_PASSES * speed) / 60;
  meanSquare += (impactsPerSecond * impact ** 2 * (1 + IMPACT_SPREAD ** 2 / 3) * RING_SECONDS) / 4;
  return Math.sqrt(meanSquare);
}

/**
 * Acceleration in g: harmonics of the shaft, the teeth passing, broadband noise, and for a defective bearing
 * a ringing at the structure's resonance (2 kHz: sample at 5 kHz or more) at every ball pass.
 */
export function vibrationWaveform(
  { speed, cutting, impact }: VibrationState,
  samples: number,
  sampleRate: number,
  random: SeededRandom,
): Float32Array {
  const waveform = new Float32Array(samples);
  const turnsPerSecond = speed / 60;
  const firstAngle = 2 * Math.PI * random.next();
  const interval = 1 / (BALL_PASSES * turnsPerSecond);
  let struckAt = -interval * random.next();
  let height = impact;
  for (let i = 0; i < samples; i++) {
    const time = i / sampleRate;
    const angle = firstAngle + 2 * Math.PI * turnsPerSecond * time;
    let value = NOISE * random.normal() + cutting * Math.sin(TEETH * angle);
    for (const [order, amplitude] of SHAFT_HARMONICS.entries()) {
      value += amplitude * Math.sin((order + 1) * angle);
    }
    if (impact > 0) {
      while (time >= struckAt + interval) {
        struckAt += interval;
        height = impact * (1 + IMPACT_SPREAD * (2 * random.next() - 1));
      }
      const since = time - struckAt;
      value += height * Math.exp(-since / RING_SECONDS) * Math.sin(2 * Math.PI * RESONANCE_HZ * since);
    }
    waveform[i] = value;
  }
  return waveform;
}
