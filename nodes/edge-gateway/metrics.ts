import { boundOf, partsOf } from '../shared/figures';
import type { LevelState } from '../shared/service-levels';
import type { StationEntry } from '../shared/station';
import type { HostFigures } from './host';

/** Content type of the text exposition format of Prometheus, version 0.0.4. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** What the figures mean, for whoever builds a dashboard; a figure that is not listed is shown without help. */
const HELP: Partial<Record<string, string>> = {
  edge_readings_total: 'Readings accepted.',
  edge_rejected_total: 'Messages and rows refused, by code.',
  edge_detections_total: 'Readings flagged, by kind.',
  edge_inference_seconds: 'Time of one inference.',
  edge_forest_retrain_seconds: 'Work of growing one forest.',
  edge_state_keys: 'Keys of the replica.',
  edge_state_pending: 'Keys that peers have not acknowledged.',
  edge_state_conflicts_total: 'Concurrent writes that were merged.',
  edge_uplink_stored_total: 'Messages stored on disk.',
  edge_uplink_delivered_total: 'Messages acknowledged, by connection.',
  edge_uplink_fallback_used_total: 'Messages delivered over another connection than the first.',
  edge_uplink_data_cached_offline_total: 'Messages stored while no connection worked.',
  edge_uplink_dropped_total: 'Messages that will not be delivered, by code.',
  edge_uplink_queue_messages: 'Messages waiting.',
  edge_uplink_queue_bytes: 'Bytes of the messages waiting.',
  edge_uplink_oldest_seconds: 'Age of the oldest message waiting.',
  edge_bytes_in_total: 'Bytes taken in.',
  edge_bytes_out_total: 'Bytes sent on.',
};

interface Sample {
  node: string;
  /** Labels as they are written, without braces; empty for none. */
  labels: string;
  value: number;
}

interface Family {
  samples: Sample[];
  /** `le` and count of each bucket, by node. */
  buckets: Map<string, Map<number, number>>;
}

const HISTOGRAM_PART = /_(bucket|sum|count)$/;

/**
 * The figures of all nodes and of the process as Prometheus reads them. Every figure of a node has the label `node`, its
 * id; `edge_node_info` says which name and type belong to an id. Service levels that are watched say whether they are met.
 */
export function metricsText(
  entries: readonly StationEntry[],
  host: HostFigures,
  levels: readonly LevelState[] = [],
): string {
  const families = new Map<string, Family>();
  for (const { id, figures } of entries) {
    for (const [key, value] of Object.entries(figures.snapshot())) {
      const parts = partsOf(key);
      if (parts && Number.isFinite(value)) {
        place(families, parts.name, { node: id, labels: parts.labels, value });
      }
    }
  }
  const text = [...families].sort(([one], [other]) => (one < other ? -1 : 1)).flatMap(familyLines);
  return `${[...infoLines(entries), ...text, ...levelLines(levels), ...hostLines(host)].join('\n')}\n`;
}

function place(families: Map<string, Family>, name: string, sample: Sample): void {
  const histogram = histogramOf(name);
  const family: Family = families.get(histogram ?? name) ?? { samples: [], buckets: new Map() };
  families.set(histogram ?? name, family);
  if (histogram === undefined || !name.endsWith('_bucket')) {
    family.samples.push(
      histogram === undefined ? sample : { ...sample, labels: name.slice(histogram.length) },
    );
    return;
  }
  const buckets = family.buckets.get(sample.node) ?? new Map<number, number>();
  buckets.set(boundOf(sample.labels) ?? Infinity, sample.value);
  family.buckets.set(sample.node, buckets);
}

/** The name of the histogram that a figure is a part of; undefined for any other figure. */
function histogramOf(name: string): string | undefined {
  const base = name.replace(HISTOGRAM_PART, '');
  return base !== name && base.endsWith('_seconds') ? base : undefined;
}

function familyLines([name, { samples, buckets }]: [string, Family]): string[] {
  const type = buckets.size > 0 ? 'histogram' : name.endsWith('_total') ? 'counter' : 'gauge';
  const lines = HELP[name] === undefined ? [] : [`# HELP ${name} ${HELP[name]}`];
  lines.push(`# TYPE ${name} ${type}`);
  for (const [node, counts] of buckets) {
    let below = 0;
    const bounds = [...counts.keys()].filter(Number.isFinite).sort((one, other) => one - other);
    for (const bound of bounds) {
      below += counts.get(bound) ?? 0;
      lines.push(`${name}_bucket{node="${escaped(node)}",le="${bound}"} ${below}`);
    }
    lines.push(`${name}_bucket{node="${escaped(node)}",le="+Inf"} ${below + (counts.get(Infinity) ?? 0)}`);
  }
  for (const { node, labels, value } of samples) {
    lines.push(
      type === 'histogram'
        ? `${name}${labels}{node="${escaped(node)}"} ${value}`
        : `${name}{node="${escaped(node)}"${labels && `,${labels}`}} ${value}`,
    );
  }
  return lines;
}

function infoLines(entries: readonly StationEntry[]): string[] {
  return [
    '# HELP edge_node_info Which node an id is.',
    '# TYPE edge_node_info gauge',
    ...entries.map(({ id, type, name, gateway }) => {
      const labels = { node: id, type, name, gateway: gateway()?.gatewayId ?? '' };
      const written = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`);
      return `edge_node_info{${written.join(',')}} 1`;
    }),
  ];
}

function levelLines(levels: readonly LevelState[]): string[] {
  const judged = levels.filter(({ met }) => met !== null);
  return judged.length === 0
    ? []
    : [
        '# HELP edge_service_level_met Whether a service level that is watched is met.',
        '# TYPE edge_service_level_met gauge',
        ...judged.map(({ level, met }) => `edge_service_level_met{level="${level}"} ${met ? 1 : 0}`),
      ];
}

function hostLines(host: HostFigures): string[] {
  const gauges: [name: string, help: string, value: number | undefined][] = [
    ['process_resident_memory_bytes', 'Resident memory of Node-RED.', host.rss],
    ['nodejs_eventloop_lag_p99_seconds', 'Delay of the event loop, p99.', scaled(host.eventLoopP99Ms)],
    ['nodejs_eventloop_lag_max_seconds', 'Longest delay of the event loop.', scaled(host.eventLoopMaxMs)],
    ['edge_host_memory_free_bytes', 'Free memory of the machine.', host.memoryFree],
    ['edge_host_disk_free_bytes', 'Free space where data is stored.', host.diskFree],
    ['edge_host_temperature_celsius', 'Temperature of the warmest zone.', host.temperature],
  ];
  return [
    '# HELP process_cpu_seconds_total CPU time of Node-RED.',
    '# TYPE process_cpu_seconds_total counter',
    `process_cpu_seconds_total ${host.cpuSeconds}`,
    ...gauges.flatMap(([name, help, value]) =>
      value === undefined ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${name} ${value}`],
    ),
  ];
}

function scaled(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
