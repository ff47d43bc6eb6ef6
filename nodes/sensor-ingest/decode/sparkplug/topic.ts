/** First level of every Sparkplug B topic. */
export const NAMESPACE = 'spBv1.0';

/** Messages that carry metrics or end them; commands and host states are not for this node. */
export type SparkplugType = 'NBIRTH' | 'NDATA' | 'NDEATH' | 'DBIRTH' | 'DDATA' | 'DDEATH';

const TYPES: readonly string[] = ['NBIRTH', 'NDATA', 'NDEATH', 'DBIRTH', 'DDATA', 'DDEATH'];

/** `spBv1.0/<group>/<type>/<edge node>[/<device>]` (Sparkplug 3.0, 4.1). */
export interface SparkplugTopic {
  type: SparkplugType;
  /** `<group>/<edge node>` */
  edgeNode: string;
  /** `<group>/<edge node>[/<device>]`: the same for births, data and deaths. */
  source: string;
  /** Where the edge node takes commands. */
  commandTopic: string;
}

export function isSparkplugTopic(topic: unknown): topic is string {
  return typeof topic === 'string' && topic.startsWith(`${NAMESPACE}/`);
}

/** @returns undefined for commands, host states and whatever else is no telemetry */
export function parseSparkplugTopic(topic: string): SparkplugTopic | undefined {
  const [namespace, group, type, node, device, ...rest] = topic.split('/') as (string | undefined)[];
  const ofDevice = type?.startsWith('D') === true;
  if (namespace !== NAMESPACE || !group || !node || !isType(type) || rest.length > 0) {
    return undefined;
  }
  if (ofDevice !== (device !== undefined && device !== '')) {
    return undefined;
  }
  const edgeNode = `${group}/${node}`;
  return {
    type,
    edgeNode,
    source: device ? `${edgeNode}/${device}` : edgeNode,
    commandTopic: `${NAMESPACE}/${group}/NCMD/${node}`,
  };
}

function isType(type: string | undefined): type is SparkplugType {
  return type !== undefined && TYPES.includes(type);
}
