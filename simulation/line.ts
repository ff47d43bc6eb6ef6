import { Machine, type Telemetry } from './machine';

export interface LineOptions {
  /** How many machines. */
  machines: number;
  seed: number;
  /** Event time of the start in ms; default 2026-01-01 UTC. */
  startTs?: number;
  /** First level of the topics; default `plant1`. */
  site?: string;
}

export interface Publication {
  topic: string;
  payload: Telemetry;
}

/** A line of machines `cnc-01`, `cnc-02`, … and the MQTT topics that each publishes on. */
export class Line {
  readonly machines: readonly Machine[];
  private readonly site: string;
  private readonly byId: ReadonlyMap<string, Machine>;

  constructor({ machines, seed, startTs, site = 'plant1' }: LineOptions) {
    const digits = Math.max(2, String(machines).length);
    this.site = site;
    this.machines = Array.from({ length: machines }, (_, index) => {
      const id = `cnc-${String(index + 1).padStart(digits, '0')}`;
      return new Machine({ id, seed, startTs });
    });
    this.byId = new Map(this.machines.map((machine) => [machine.id, machine]));
  }

  machine(id: string): Machine | undefined {
    return this.byId.get(id);
  }

  /** Where a machine's telemetry goes, such as `plant1/cnc-01/telemetry`. */
  telemetryTopic(machine: Machine): string {
    return `${this.site}/${machine.id}/telemetry`;
  }

  /** Where a machine's waveforms go, such as `plant1/cnc-01/vibration`. */
  waveformTopic(machine: Machine): string {
    return `${this.site}/${machine.id}/vibration`;
  }

  /** Advances every machine and takes a reading of each. */
  step(seconds: number): Publication[] {
    return this.machines.map((machine) => ({
      topic: this.telemetryTopic(machine),
      payload: machine.step(seconds),
    }));
  }
}
