import { EdgeError } from '../../../shared/errors';
import { excerpt } from '../../../shared/text';
import { withinLength } from '../../rows/paths';
import { readSparkplugPayload, type SparkplugMetric, type SparkplugPayload } from './payload';
import { rowsOf, type KnownMetric, type SparkplugRow } from './rows';
import { parseSparkplugTopic, type SparkplugTopic } from './topic';
import { declarationOf, type Declared } from './value';

/** Characters of the metric names that all births of one node may be remembered with. */
const NAME_BUDGET = 16 * 1024 * 1024;
/** What a remembered metric costs besides its name, in characters. */
const METRIC_COST = 64;

/** What one Sparkplug message says. */
export interface SparkplugMessage {
  source: string;
  rows: SparkplugRow[];
  isBirth: boolean;
  /** Sources that the message declares dead. */
  dead: string[];
  /** The topic to ask for a new birth at, when a message of the edge node was missed. */
  rebirthTopic: string | undefined;
}

interface BornMetric extends Declared {
  name: string;
}

/** A source's metrics as its last birth declared them. */
interface Birth {
  byAlias: Map<string, BornMetric>;
  byName: Map<string, BornMetric>;
  cost: number;
}

interface EdgeNode {
  /** By source; empty before the first birth and after a death. */
  births: Map<string, Birth>;
  /** Number that a birth and the death it prepared share. */
  bdSeq: number | undefined;
  seq: number | undefined;
  /** Whether a message was missed since its birth: if that was another birth, aliases mean something else now. */
  doubtful: boolean;
}

/**
 * Reads Sparkplug B (Eclipse Sparkplug 3.0; earlier versions use the same namespace). Births name the metrics, give
 * them aliases and data types; data is read with what the last birth said, so an alias that no birth explains is
 * refused and never guessed.
 */
export class SparkplugDecoder {
  private readonly nodes = new Map<string, EdgeNode>();
  private nameCost = 0;

  /** @param maxNodes edge nodes that are remembered; beyond it `SOURCE_LIMIT` */
  constructor(private readonly maxNodes: number) {}

  /**
   * @returns undefined for commands and host states, which are no telemetry
   * @throws EdgeError `DECODE` (with `details.rebirthTopic` where a new birth would help), `TOO_LARGE`, `SOURCE_LIMIT`
   */
  decode(topicName: string, bytes: Uint8Array): SparkplugMessage | undefined {
    const topic = parseSparkplugTopic(topicName);
    if (!topic) {
      return undefined;
    }
    withinLength(topic.source, 'The name of the source');
    const payload = readSparkplugPayload(bytes);
    const message: SparkplugMessage = {
      source: topic.source,
      rows: [],
      isBirth: false,
      dead: [],
      rebirthTopic: undefined,
    };
    switch (topic.type) {
      case 'NDEATH':
        message.dead = this.nodeDies(topic, payload);
        break;
      case 'DDEATH':
        this.follow(topic, payload, message);
        message.dead = this.deviceDies(topic);
        break;
      case 'NBIRTH':
      case 'DBIRTH':
        message.isBirth = true;
        message.rows = rowsOf(payload, ({ name }) => ({ name }), topic, true);
        this.birth(topic, payload, message);
        break;
      case 'NDATA':
      case 'DDATA':
        if (payload.metrics.length === 0) {
          throw new EdgeError('DECODE', 'The Sparkplug payload has no metrics. Correct the sender.');
        }
        message.rows = this.dataRows(topic, payload);
        this.follow(topic, payload, message);
    }
    return message;
  }

  private birth(topic: SparkplugTopic, payload: SparkplugPayload, message: SparkplugMessage): void {
    const birth: Birth = { byAlias: new Map(), byName: new Map(), cost: 0 };
    let bdSeq: number | undefined;
    for (const declared of payload.metrics) {
      const { name, alias, value } = declared;
      if (name === undefined || name === '') {
        throw new EdgeError(
          'DECODE',
          'The Sparkplug birth has a metric without a name, so its data could not be told apart. Correct the edge node.',
        );
      }
      if (name === 'bdSeq' && value && 'value' in value) {
        bdSeq = Number(value.value);
      }
      const metric = { name, ...declarationOf(declared) };
      birth.byName.set(name, metric);
      if (alias !== undefined) {
        birth.byAlias.set(alias, metric);
      }
      birth.cost += costOf(declared);
    }
    const node = this.nodeOf(topic.edgeNode);
    const replaced = topic.type === 'NBIRTH' ? [...node.births.keys()] : [topic.source];
    const freed = replaced.reduce((sum, source) => sum + (node.births.get(source)?.cost ?? 0), 0);
    if (this.nameCost - freed + birth.cost > NAME_BUDGET) {
      throw new EdgeError(
        'TOO_LARGE',
        'The births of all edge nodes together name more metrics than this node remembers. Split the edge nodes over several sensor-ingest nodes by topic.',
      );
    }
    replaced.forEach((source) => this.forget(node, source));
    node.births.set(topic.source, birth);
    this.nameCost += birth.cost;
    if (topic.type === 'NBIRTH') {
      node.bdSeq = bdSeq;
      node.seq = payload.seq;
      node.doubtful = false;
    } else {
      this.follow(topic, payload, message);
    }
  }

  private nodeOf(edgeNode: string): EdgeNode {
    let node = this.nodes.get(edgeNode);
    if (!node) {
      if (this.nodes.size >= this.maxNodes) {
        throw new EdgeError(
          'SOURCE_LIMIT',
          `Edge node "${excerpt(edgeNode)}" is new and ${this.nodes.size} are known already, with "maxSources" at ${this.maxNodes}. Raise it, or find out who sends under so many names.`,
          { source: edgeNode },
        );
      }
      node = { births: new Map(), bdSeq: undefined, seq: undefined, doubtful: false };
      this.nodes.set(edgeNode, node);
    }
    return node;
  }

  /** Notes a message's number; a gap means that one was missed, perhaps a birth. */
  private follow(topic: SparkplugTopic, { seq }: SparkplugPayload, message: SparkplugMessage): void {
    const node = this.nodes.get(topic.edgeNode);
    if (!node || seq === undefined) {
      return;
    }
    if (hasGap(node, seq)) {
      message.rebirthTopic = topic.commandTopic;
      node.doubtful = true;
    }
    node.seq = seq;
  }

  private dataRows(topic: SparkplugTopic, payload: SparkplugPayload): SparkplugRow[] {
    const node = this.nodes.get(topic.edgeNode);
    const doubtful = node !== undefined && (node.doubtful || hasGap(node, payload.seq));
    return rowsOf(
      payload,
      (metric) => ({ ...this.known(topic, metric), doubtful: doubtful && !metric.name }),
      topic,
      false,
    );
  }

  private nodeDies(topic: SparkplugTopic, { metrics }: SparkplugPayload): string[] {
    const node = this.nodes.get(topic.edgeNode);
    const value = metrics.find(({ name }) => name === 'bdSeq')?.value;
    const bdSeq = value && 'value' in value ? Number(value.value) : undefined;
    if (!node || (bdSeq !== undefined && node.bdSeq !== undefined && bdSeq !== node.bdSeq)) {
      // The last will of an earlier session, which the broker sent after the new one's birth.
      return [];
    }
    const dead = [...new Set([topic.source, ...node.births.keys()])];
    dead.forEach((source) => this.forget(node, source));
    node.seq = undefined;
    return dead;
  }

  private deviceDies(topic: SparkplugTopic): string[] {
    const node = this.nodes.get(topic.edgeNode);
    if (node) {
      this.forget(node, topic.source);
    }
    return [topic.source];
  }

  private forget(node: EdgeNode, source: string): void {
    this.nameCost -= node.births.get(source)?.cost ?? 0;
    node.births.delete(source);
  }

  /** The name and data type of a data metric; one whose birth was not seen has what it says itself. */
  private known(topic: SparkplugTopic, metric: SparkplugMetric): KnownMetric {
    const birth = this.nodes.get(topic.edgeNode)?.births.get(topic.source);
    const byName = metric.name ? birth?.byName.get(metric.name) : undefined;
    const found = byName ?? (metric.alias === undefined ? undefined : birth?.byAlias.get(metric.alias));
    return { name: metric.name ? metric.name : found?.name, declared: found };
  }
}

function hasGap({ seq: last }: EdgeNode, seq: number | undefined): boolean {
  return last !== undefined && seq !== undefined && seq !== (last + 1) % 256;
}

/** What remembering a metric costs, in characters. */
function costOf({ name = '', value }: SparkplugMetric): number {
  const members = value?.kind === 'template' ? value.metrics : [];
  return members.reduce((sum, member) => sum + costOf(member), name.length + METRIC_COST);
}
