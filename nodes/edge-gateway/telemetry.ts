import type { Clock, Timer } from '../shared/clock';
import type { Maintenance, MaintenanceReport } from '../shared/detection/maintenance';
import type { Gateway } from '../shared/gateway';
import type { StationEntry } from '../shared/station';
import type { HostFigures } from './host';
import { reportStatus, type StatusReport } from './status-report';

/** What a gateway says of itself every `telemetryInterval` seconds. */
export interface Telemetry {
  gateway: string;
  name: string;
  site: string;
  /** False only in the last will, which the broker publishes when the connection is gone. */
  online: boolean;
  /** Ms since the epoch; absent in the last will. */
  ts?: number;
  /** Seconds since the node started. */
  uptime?: number;
  host?: HostFigures;
  versions?: Record<string, string>;
  nodes?: StatusReport['nodes'];
}

export interface TelemetryTools {
  gateway: Gateway;
  clock: Clock;
  versions: Record<string, string>;
  intervalMs: number;
  entries(): readonly StationEntry[];
  host(): Promise<HostFigures>;
  publish(telemetry: Telemetry): void;
}

/** Topic of a template with `{gateway}` and `{site}`. */
export function gatewayTopic(template: string, { gatewayId, site }: Gateway): string {
  return template.replaceAll('{gateway}', gatewayId).replaceAll('{site}', site);
}

/** What the broker says for a gateway that is gone. */
export function lastWill({ gatewayId, name, site }: Gateway): Telemetry {
  return { gateway: gatewayId, name, site, online: false };
}

/** Publishes telemetry at a steady pace, beginning with {@link TelemetryReporter.report}. */
export class TelemetryReporter {
  private timer: Timer | undefined;
  private readonly began: number;
  private stopped = false;
  private reporting: Promise<void> | undefined;

  constructor(private readonly tools: TelemetryTools) {
    this.began = tools.clock.monotonic();
  }

  /** Publishes now, and again after each interval. */
  report(): void {
    this.timer?.cancel();
    if (this.stopped) {
      return;
    }
    this.timer = this.tools.clock.after(this.tools.intervalMs, () => this.report());
    this.reporting ??= this.publish().finally(() => {
      this.reporting = undefined;
    });
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
  }

  private async publish(): Promise<void> {
    const { gateway, clock, versions } = this.tools;
    const host = await this.tools.host();
    if (this.stopped) {
      return;
    }
    this.tools.publish({
      ...lastWill(gateway),
      online: true,
      ts: clock.now(),
      uptime: Math.round((clock.monotonic() - this.began) / 1000),
      host,
      versions,
      nodes: this.nodes(),
    });
  }

  /** Of several gateways in one runtime each reports its own nodes, and those that name none. */
  private nodes(): StatusReport['nodes'] {
    const own = this.tools.entries().filter((entry) => {
      const nodeId = entry.gateway()?.nodeId ?? '';
      return nodeId === '' || nodeId === this.tools.gateway.nodeId;
    });
    return reportStatus(own).nodes.map(withoutPersons);
  }
}

/** Who wanted a maintenance, and why, is for those at the machine; a broker's readers get what and until when. */
function withoutPersons(node: StatusReport['nodes'][number]): StatusReport['nodes'][number] {
  const { maintenance } = (node.details ?? {}) as Partial<MaintenanceReport>;
  return maintenance
    ? { ...node, details: { ...node.details, maintenance: maintenance.map(withoutPerson) } }
    : node;
}

function withoutPerson({ source, since, until }: Maintenance): Maintenance {
  return { source, since, until };
}
