/**
 * What a station promises: `latency` is the time of 95 of 100 inferences, `delivery` the age of the oldest message that
 * waits for the cloud, `silence` how long readings come in without a detector judging any.
 */
export const SERVICE_LEVELS = ['latency', 'delivery', 'silence'] as const;
export type ServiceLevel = (typeof SERVICE_LEVELS)[number];

/** Limits, in ms for the latency and in s for the others; 0 = not watched. */
export type ServiceLimits = Record<ServiceLevel, number>;

/** How one level stands. */
export interface LevelState {
  level: ServiceLevel;
  limit: number;
  /** In the unit of the limit; null while there is nothing to judge, such as no uplink. */
  value: number | null;
  /** Null where the level is not watched or there is nothing to judge. */
  met: boolean | null;
}

export const NO_LIMITS: ServiceLimits = { latency: 0, delivery: 0, silence: 0 };

let states: readonly LevelState[] = stateOf(NO_LIMITS);

/** Tells how the levels stand now. */
export function noteLevels(now: readonly LevelState[]): void {
  states = now;
}

/** How the levels of this runtime stood at the last look. */
export function currentLevels(): readonly LevelState[] {
  return states;
}

/** Levels of which nothing is known yet. */
export function stateOf(limits: ServiceLimits): LevelState[] {
  return SERVICE_LEVELS.map((level) => ({ level, limit: limits[level], value: null, met: null }));
}
