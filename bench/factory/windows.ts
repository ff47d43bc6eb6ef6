import { SeededRandom } from '../../nodes/shared/random';
import { WAVEFORM_RATE, WAVEFORM_SAMPLES } from '../../simulation/commissioning';
import type { Telemetry } from '../../simulation/index';
import { vibrationWaveform } from '../../simulation/vibration';

/** How finely the pool knows the state of a machine. */
const LOADS = 12;
const IMPACTS = 6;
const VARIANTS = 24;
const TORQUE = { from: 20, to: 80 };
const FULL_IMPACT = 5;
/** Amplitude of the tool pass in g by Nm, as the simulated machines have it on average. */
const CUTTING_BY_TORQUE = 0.0105;

/**
 * Raw windows of vibration, drawn from a pool that the simulation made beforehand: 14,000 a second made on the spot would
 * take more than both cores. Windows of one state differ by their noise and phase, as measured ones do.
 */
export class WindowPool {
  private readonly windows: Buffer[] = [];

  constructor(private readonly random: SeededRandom) {
    for (let load = 0; load < LOADS; load++) {
      for (let impact = 0; impact < IMPACTS; impact++) {
        const torque = TORQUE.from + ((load + 0.5) / LOADS) * (TORQUE.to - TORQUE.from);
        const state = {
          // On AI4I's curve of torque against speed, as the simulated machines run.
          speed: Math.max(1200, 1660 - 230 * ((torque - 29) / 19)),
          cutting: CUTTING_BY_TORQUE * torque,
          impact: (impact / (IMPACTS - 1)) * FULL_IMPACT,
        };
        for (let variant = 0; variant < VARIANTS; variant++) {
          const samples = vibrationWaveform(state, WAVEFORM_SAMPLES, WAVEFORM_RATE, random);
          this.windows.push(Buffer.from(samples.buffer));
        }
      }
    }
  }

  /** @param bearing how far a bearing's defect has developed, 0–1 */
  draw({ torque }: Telemetry, bearing: number): Buffer {
    const share = (torque - TORQUE.from) / (TORQUE.to - TORQUE.from);
    const load = Math.max(0, Math.min(LOADS - 1, Math.floor(share * LOADS)));
    const impact = Math.round(bearing * (IMPACTS - 1));
    return this.windows[(load * IMPACTS + impact) * VARIANTS + this.random.int(VARIANTS)];
  }
}
