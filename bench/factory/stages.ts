import type { Profiler } from 'node:inspector';

/** Parts of the main thread's work by the file that a function lies in; the first that fits. */
const STAGES: readonly [stage: string, file: RegExp][] = [
  ['window features (FFT, moments)', /nodes\/sensor-ingest\/features\/|^wasm:/],
  ['ingest: acknowledgements', /nodes\/sensor-ingest\/mqtt\/|nodes\/shared\/in-flight/],
  ['ingest: decode, check, reduce', /nodes\/sensor-ingest\//],
  ['known failures (onnx-detect)', /nodes\/onnx-detect\//],
  ['novel anomalies: score', /nodes\/iso-forest\/(forest\/|pareto|threshold|explain)/],
  ['novel anomalies: the rest (iso-forest)', /nodes\/iso-forest\//],
  ['uplink', /nodes\/resilient-uplink\//],
  ['state (crdt-state)', /nodes\/crdt-state\//],
  ['shared by the nodes', /dist\/nodes\//],
  ['benchmark’s own probe', /dist\/bench\/|inspector/],
  [
    'MQTT.js',
    /node_modules\/(mqtt|mqtt-packet|bl|readable-stream|worker-timers[^/]*|number-allocator|lru-cache)\//,
  ],
  ['Node-RED', /node_modules\/(@node-red|node-red|jsonata|clone|lodash[^/]*)\//],
  ['Node.js: sockets, streams, timers', /^node:|^$/],
];
const REST = 'other packages';
/** Functions of V8 and Node.js that are stages of their own, wherever they were called. */
const NATIVE = 'native code outside JavaScript';
const IDLE = '(idle)';
const BY_NAME: ReadonlyMap<string, string> = new Map([
  ['(garbage collector)', 'garbage collection'],
  [IDLE, IDLE],
  ['(program)', NATIVE],
  ['(root)', NATIVE],
  ['postMessage', 'hand-over to threads'],
]);

/**
 * CPU time by stage, in µs. Native functions that lie in no file belong to whoever called them. A sampling profile is of wall
 * time: what the thread really had, `cpuMicros`, is divided in proportion to the samples in which it was not idle.
 */
export function byStage(
  { nodes, samples = [], timeDeltas = [] }: Profiler.Profile,
  cpuMicros: number,
): Record<string, number> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const stageOfId = new Map<number, string>();
  const visit = (id: number, inherited: string): void => {
    const node = byId.get(id);
    if (node) {
      const stage = stageOf(node.callFrame, inherited);
      stageOfId.set(id, stage);
      node.children?.forEach((child) => visit(child, stage));
    }
  };
  visit(nodes[0].id, NATIVE);
  const wall = new Map<string, number>();
  let busy = 0;
  samples.forEach((id, at) => {
    const stage = stageOfId.get(id) ?? REST;
    if (stage !== IDLE) {
      wall.set(stage, (wall.get(stage) ?? 0) + timeDeltas[at]);
      busy += timeDeltas[at];
    }
  });
  return Object.fromEntries([...wall].map(([stage, micros]) => [stage, (micros / busy) * cpuMicros]));
}

function stageOf({ functionName, url }: { functionName: string; url: string }, inherited: string): string {
  const named = BY_NAME.get(functionName);
  if (named !== undefined) {
    return named;
  }
  if (url === '') {
    return inherited;
  }
  return STAGES.find(([, file]) => file.test(url))?.[0] ?? REST;
}
