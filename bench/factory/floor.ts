import { SeededRandom } from '../../nodes/shared/random';
import { Machine, RAMP_SECONDS, type Telemetry } from '../../simulation/index';
import { overAt, type Benign, type Incident } from './plan';
import { topicOf } from './protocol';
import { WindowPool } from './windows';

const START_TS = Date.UTC(2026, 0, 1);

export interface FloorEvents {
  began(incident: Incident): void;
  over(incident: Incident): void;
}

/** One machine with what happens to it now. */
interface Place {
  machine: Machine;
  topic: string;
  latest: Telemetry;
  /** Seconds that it has run since machines may break. */
  second: number;
  incident?: Incident;
  planned: Incident[];
  /** K that the hall is warmer around it. */
  warmth: number;
  type: number;
  /** Minutes that the tool had cut which was taken out. */
  takenOut: number;
}

/** All machines of the factory, second by second, each with the incidents that are planned for it. */
export class FactoryFloor {
  private readonly places: Place[];
  private readonly pool: WindowPool;
  private breaking = false;

  constructor(
    machines: number,
    seed: number,
    private readonly events: FloorEvents,
  ) {
    const digits = Math.max(4, String(machines).length);
    this.pool = new WindowPool(new SeededRandom(seed, 0x3a7e));
    this.places = Array.from({ length: machines }, (_, index) => {
      const id = `cnc-${String(index + 1).padStart(digits, '0')}`;
      const machine = new Machine({ id, seed, startTs: START_TS });
      const topic = topicOf(index, id, 'telemetry');
      return {
        machine,
        topic,
        latest: machine.step(1),
        second: 0,
        planned: [],
        warmth: 0,
        type: machine.type,
        takenOut: 0,
      };
    });
  }

  idOf(index: number): string {
    return this.places[index].machine.id;
  }

  plan(incidents: readonly Incident[]): void {
    this.breaking = true;
    for (const place of this.places) {
      place.second = 0;
      place.planned = [];
    }
    for (const incident of incidents) {
      this.places[incident.machine].planned.push(incident);
    }
  }

  /** Lets a second pass on one machine and takes its reading. */
  step(index: number): { topic: string; payload: Telemetry } {
    const place = this.places[index];
    if (this.breaking) {
      this.happen(place);
      place.second++;
    }
    const reading = place.machine.step(1);
    reading.type = place.type;
    reading.air_temperature = Math.round((reading.air_temperature + place.warmth) * 10) / 10;
    reading.process_temperature = Math.round((reading.process_temperature + place.warmth) * 10) / 10;
    reading.tool_wear = Math.round(Math.max(0, reading.tool_wear - place.takenOut) * 10) / 10;
    place.latest = reading;
    return { topic: place.topic, payload: reading };
  }

  /** A raw window of one machine as it runs now. */
  window(index: number): Buffer {
    const { latest, incident, second } = this.places[index];
    return this.pool.draw(latest, incident?.what === 'bearing' ? bearingLevel(incident, second) : 0);
  }

  private happen(place: Place): void {
    const current = place.incident;
    if (current && place.second >= overAt(current)) {
      place.incident = undefined;
      place.warmth = 0;
      place.takenOut = 0;
      this.events.over(current);
    }
    const next = place.planned.at(0);
    if (next && next.from <= place.second) {
      place.planned.shift();
      place.incident = next;
      begin(place, next);
      this.events.began(next);
    }
  }
}

function begin(place: Place, { class: kind, what, seconds }: Incident): void {
  if (kind !== 'benign') {
    place.machine.inject(what as Exclude<typeof what, Benign>, seconds);
  } else if (what === 'other-product') {
    place.type = (place.type + 1) % 3;
  } else if (what === 'warm-hall') {
    place.warmth = 1.5;
  } else {
    place.takenOut = place.latest.tool_wear + place.takenOut;
  }
}

function bearingLevel({ from, seconds }: Incident, second: number): number {
  const ramp = RAMP_SECONDS.bearing;
  const rising = (second - from) / ramp;
  const fading = 1 - (second - from - seconds) / ramp;
  return Math.max(0, Math.min(1, rising, fading));
}
