import type { HostFigures } from '../nodes/edge-gateway/host';
import { reportStatus, type StatusReport } from '../nodes/edge-gateway/status-report';
import type { Alert } from '../nodes/shared/alerts';
import type { Maintenance } from '../nodes/shared/detection/maintenance';
import type { LevelState } from '../nodes/shared/service-levels';
import type { StationEntry } from '../nodes/shared/station';
import type { JobState } from './assessment/summary';

/** An alert, with what its source is under since it was shelved or its node was put under maintenance. */
export interface ShownAlert extends Alert {
  maintenance?: Maintenance;
}

/** What the sidebar is sent each second. */
export interface Snapshot {
  /** Ms since the epoch. */
  ts: number;
  gateway: StatusReport['gateway'];
  host: HostFigures;
  nodes: StatusReport['nodes'];
  /** How many nodes there are; `nodes` has the first of them. */
  count: number;
  alerts: ShownAlert[];
  levels: readonly LevelState[];
  assessment: JobState;
}

const MOST_NODES = 200;
const MOST_ALERTS = 20;

export function snapshotOf(
  entries: readonly StationEntry[],
  host: HostFigures,
  alerts: ShownAlert[],
  ts: number,
): Omit<Snapshot, 'levels' | 'assessment'> {
  const { gateway, nodes } = reportStatus(entries);
  return {
    ...{ ts, gateway, host },
    nodes: nodes.slice(0, MOST_NODES),
    count: nodes.length,
    alerts: alerts.slice(0, MOST_ALERTS),
  };
}
