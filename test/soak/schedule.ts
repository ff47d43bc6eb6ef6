import { SeededRandom } from '../../nodes/shared/random';

export const FAULTS = [
  'cloud down',
  'machines broker down',
  'network cut',
  'gateway killed',
  'clock jump',
  'disk full',
] as const;
export type FaultKind = (typeof FAULTS)[number];

/** In seconds from the start of the run. */
export interface PlannedFault {
  kind: FaultKind;
  at: number;
  seconds: number;
}

/** Undisturbed at the start and at the end, in seconds; less in a short run. */
const QUIET = 60;
/** From one fault to the next, in seconds: each has time to show what it left behind. */
const APART = 45;
/** A fault lasts so many seconds at most. */
const LONGEST = 20;

/**
 * Every kind once in each round, in random order. The gateway is killed in the first quarter only, so that one life of it is
 * long enough for a trend.
 */
export function scheduleOf(minutes: number, seed: number): PlannedFault[] {
  const random = new SeededRandom(seed);
  const quiet = Math.min(QUIET, minutes * 6);
  const end = minutes * 60 - quiet;
  const apart = Math.max(minutes, Math.min(APART, minutes * 10));
  const longest = Math.min(LONGEST, Math.floor(apart / 2));
  const planned: PlannedFault[] = [];
  let round: FaultKind[] = [];
  for (let at = quiet; at + apart <= end; at += apart) {
    const killing = at < minutes * 15;
    round = round.filter((kind) => killing || kind !== 'gateway killed');
    if (round.length === 0) {
      round = FAULTS.filter((kind) => killing || kind !== 'gateway killed');
    }
    const [kind] = round.splice(random.int(round.length), 1);
    planned.push({ kind, at, seconds: 5 + random.int(longest - 4) });
  }
  return planned;
}
