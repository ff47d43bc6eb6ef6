import { EdgeError } from '../../../shared/errors';
import type { Quality } from '../../../shared/messages';
import { setField } from '../../rows/paths';
import { excerpt } from '../../../shared/text';
import { MAX_ROWS } from '../decode';
import type { SparkplugMetric, SparkplugPayload } from './payload';
import type { SparkplugTopic } from './topic';
import { AMBIGUOUS, plainValue, type Declared, type PlainValue } from './value';

const STALE = 500;
/** Metrics that command or describe an edge node and measure nothing. */
const CONTROL = /^(bdSeq$|(Node|Device) Control\/)/;

/** Metrics of one message that share a timestamp and a quality. */
export interface SparkplugRow {
  values: Record<string, PlainValue>;
  /** Event time, ms since the epoch. */
  ts: number | undefined;
  quality: Quality;
  /** Sent later than it happened, while something newer may have come before. */
  historical: boolean;
}

/** What is known of a metric: its name, what its birth declared, and whether another birth may have been missed. */
export interface KnownMetric {
  name?: string | undefined;
  declared?: Declared | undefined;
  doubtful?: boolean;
}

/**
 * Groups metrics into rows. A birth gives the state at its own time, whenever each value last changed.
 *
 * @throws EdgeError `DECODE` with `details.rebirthTopic`, `TOO_LARGE`
 */
export function rowsOf(
  payload: SparkplugPayload,
  knownOf: (metric: SparkplugMetric) => KnownMetric,
  topic: SparkplugTopic,
  isBirth: boolean,
): SparkplugRow[] {
  const rows = new Map<string, SparkplugRow>();
  for (const metric of payload.metrics) {
    const { name, declared, doubtful } = knownOf(metric);
    if (name === undefined) {
      throw unborn(topic, `the alias ${metric.alias ?? '(none)'} of a metric without a name`);
    }
    const value = plainValue(metric, declared);
    if (value === AMBIGUOUS) {
      throw unborn(topic, `the data type of the metric "${excerpt(name)}"`);
    }
    if (value === undefined || CONTROL.test(name)) {
      continue;
    }
    const { historical } = metric;
    const ts = isBirth && !historical ? (payload.ts ?? metric.ts) : (metric.ts ?? payload.ts);
    const given = qualityOf(metric.quality);
    const quality = doubtful && given === 'good' ? 'uncertain' : given;
    const key = `${ts ?? ''} ${quality} ${historical}`;
    let row = rows.get(key);
    if (!row) {
      if (rows.size === MAX_ROWS) {
        throw new EdgeError(
          'TOO_LARGE',
          `The metrics have more than ${MAX_ROWS} different times; send fewer in one message.`,
        );
      }
      row = { values: {}, ts, quality, historical };
      rows.set(key, row);
    }
    setField(row.values, name, value);
  }
  return [...rows.values()].sort((a, b) => (a.ts ?? Infinity) - (b.ts ?? Infinity));
}

/** OPC quality codes: 192–255 good, 64–127 uncertain, below bad; 500 is Sparkplug's own "stale". */
function qualityOf(code: number | undefined): Quality {
  if (code === undefined || (code >= 192 && code < 256)) {
    return 'good';
  }
  return code === STALE || (code >= 64 && code < 128) ? 'uncertain' : 'bad';
}

function unborn(topic: SparkplugTopic, what: string): EdgeError {
  return new EdgeError(
    'DECODE',
    `Nothing is known of ${what}: no birth of "${excerpt(topic.source)}" has come. Ask the edge node for a new one (its metric "Node Control/Rebirth"); with an MQTT broker as input this node does so itself.`,
    { source: topic.source, rebirthTopic: topic.commandTopic },
  );
}
