import { SeededRandom } from '../../nodes/shared/random';
import { FAILURE_MODES, NOVELTIES, RAMP_SECONDS, type Fault } from '../../simulation/index';

/** What happens on a real line and is no fault: an alert for it is a false one. */
export const BENIGN = ['new-tool', 'other-product', 'warm-hall'] as const;
export type Benign = (typeof BENIGN)[number];
export type What = Fault | Benign;
export type IncidentClass = 'known' | 'novel' | 'benign';

/** Something that happens to a machine, in seconds of the machines from when they may break. */
export interface Incident {
  id: number;
  machine: number;
  class: IncidentClass;
  what: What;
  from: number;
  seconds: number;
}

const SECONDS = 20;
/** The time that a machine is left alone after an incident; more than the detectors' hold-off. */
const REST_SECONDS = 60;
/** Seconds after a fault's end and its fading in which an alert still belongs to it. */
const SETTLE_SECONDS = 5;
/** Of ten incidents: known failures, novel anomalies, and the rest benign. */
const SHARES = { known: 5, novel: 3 };

/**
 * Incidents over all machines, the same for the same seed, so that every detection can be called right or wrong. A machine
 * has one at a time, and rests in between; when no machine is free, nothing begins.
 *
 * @param perSecond incidents that begin in a second, over all machines
 */
export function planIncidents(
  seed: number,
  machines: number,
  seconds: number,
  perSecond: number,
): Incident[] {
  const random = new SeededRandom(seed, 0xfac7);
  const freeFrom = new Float64Array(machines);
  const incidents: Incident[] = [];
  const total = Math.floor(seconds * perSecond);
  for (let begun = 0; begun < total; begun++) {
    const from = Math.floor(begun / perSecond);
    const machine = freeMachine(random, freeFrom, from);
    if (machine !== undefined) {
      const incident = { id: incidents.length, machine, ...draw(random), from, seconds: SECONDS };
      freeFrom[machine] = overAt(incident) + REST_SECONDS;
      incidents.push(incident);
    }
  }
  return incidents;
}

/** The second from which on an alert is no longer explained by the incident. */
export function overAt({ what, from, seconds }: Incident): number {
  const fading = what in RAMP_SECONDS ? RAMP_SECONDS[what as Fault] : 0;
  return from + seconds + fading + SETTLE_SECONDS;
}

function draw(random: SeededRandom): { class: IncidentClass; what: What } {
  const drawn = random.int(10);
  const pick = <T>(list: readonly T[]): T => list[random.int(list.length)];
  if (drawn < SHARES.known) {
    return { class: 'known', what: pick(FAILURE_MODES) };
  }
  return drawn < SHARES.known + SHARES.novel
    ? { class: 'novel', what: pick(NOVELTIES) }
    : { class: 'benign', what: pick(BENIGN) };
}

function freeMachine(random: SeededRandom, freeFrom: Float64Array, from: number): number | undefined {
  for (let attempt = 0; attempt < 20; attempt++) {
    const machine = random.int(freeFrom.length);
    if (freeFrom[machine] <= from) {
      return machine;
    }
  }
  return undefined;
}
