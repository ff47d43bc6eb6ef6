import type { Detection } from './messages';

/** A source that was flagged, as somebody at the screen sees it. */
export interface Alert {
  /** Node and source; a source has one alert a node, which is raised again. */
  id: string;
  node: string;
  nodeName: string;
  source: string;
  kind: string;
  label?: string;
  score: number | null;
  /** The channels that stood out, most of all first. */
  channels: string[];
  /** Of the first and the last flagged reading since it was acknowledged, ms since the epoch. */
  since: number;
  last: number;
  count: number;
  acknowledged: boolean;
  /** When somebody has, ms since the epoch, and who, where users log in. */
  acknowledgedAt?: number;
  acknowledgedBy?: string;
}

const MOST = 100;
const CHANNELS = 3;

/** Alerts by id, the one that was raised last at the end. */
const alerts = new Map<string, Alert>();

/** Notes that a node flagged a source. The oldest alert makes room, an acknowledged one first. */
export function raiseAlert(node: string, detection: Detection, now: number): void {
  const id = `${node}/${detection.source}`;
  const earlier = alerts.get(id);
  const alert: Alert = {
    id,
    node,
    nodeName: detection.node,
    source: detection.source,
    kind: detection.kind ?? '',
    ...(detection.label !== undefined && { label: detection.label }),
    score: detection.score,
    channels: (detection.contributions ?? []).slice(0, CHANNELS).map(({ channel }) => channel),
    since: earlier && !earlier.acknowledged ? earlier.since : now,
    last: now,
    count: earlier && !earlier.acknowledged ? earlier.count + 1 : 1,
    acknowledged: false,
  };
  alerts.delete(id);
  alerts.set(id, alert);
  if (alerts.size > MOST) {
    const [first] = [...alerts.values()]
      .filter(({ acknowledged }) => acknowledged)
      .concat([...alerts.values()]);
    alerts.delete(first.id);
  }
}

/** The alerts of the nodes that exist, the latest first. */
export function listAlerts(exists: (node: string) => boolean): Alert[] {
  for (const { id, node } of alerts.values()) {
    if (!exists(node)) {
      alerts.delete(id);
    }
  }
  return [...alerts.values()].reverse();
}

/**
 * Somebody has seen it; false when there is no such alert. The next flagged reading raises it anew.
 *
 * @param by the user's name; undefined where nobody logs in
 * @param now ms since the epoch
 */
export function acknowledgeAlert(id: string, by: string | undefined, now: number): boolean {
  const alert = alerts.get(id);
  // Whoever was first has seen to it.
  if (alert && !alert.acknowledged) {
    alerts.set(id, {
      ...alert,
      acknowledged: true,
      acknowledgedAt: now,
      ...(by !== undefined && { acknowledgedBy: by }),
    });
  }
  return alert !== undefined;
}
