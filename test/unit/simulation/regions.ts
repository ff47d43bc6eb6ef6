import type { FailureMode, Telemetry } from '../../../simulation/machine';

/** AI4I 2020's rules (Matzka, 2020), stated here apart from the simulation that they judge. */
const STRAIN_LIMIT = [11_000, 12_000, 13_000];

export interface Physics {
  /** Process above air temperature, K. */
  difference: number;
  /** W */
  power: number;
  /** Tool wear × torque as a share of the limit for the product type. */
  strain: number;
}

export function physicsOf(reading: Telemetry): Physics {
  return {
    difference: Math.round((reading.process_temperature - reading.air_temperature) * 10) / 10,
    power: (reading.torque * reading.rotational_speed * 2 * Math.PI) / 60,
    strain: (reading.tool_wear * reading.torque) / STRAIN_LIMIT[reading.type],
  };
}

/** The failure regions that a reading lies in. From 200 min on a tool may fail, at random in AI4I. */
export function regionsOf(reading: Telemetry): FailureMode[] {
  const { difference, power, strain } = physicsOf(reading);
  const inside: Record<FailureMode, boolean> = {
    'tool-wear': reading.tool_wear >= 200,
    'heat-dissipation': difference < 8.6 && reading.rotational_speed < 1380,
    power: power < 3500 || power > 9000,
    overstrain: strain > 1,
  };
  return (Object.keys(inside) as FailureMode[]).filter((mode) => inside[mode]);
}
