import { parseIngestConfig, type IngestConfig } from '../nodes/sensor-ingest/config';
import type { Clock } from '../nodes/shared/clock';
import { EdgeError } from '../nodes/shared/errors';

/** Stands at the arrival of the message that is taken in; a pipeline sets no timers. */
export class ArrivalClock implements Clock {
  arrival = 0;

  now(): number {
    return this.arrival;
  }

  monotonic(): number {
    return this.arrival;
  }

  after(): never {
    throw new EdgeError('INTERNAL', 'A pipeline has no timers of its own.');
  }
}

/**
 * How the messages of a sample are read: as a `sensor-ingest` with these properties would, without its reduction. Of a
 * message only topic and payload are known here, so a source that another property names is named by the topic.
 *
 * @param properties as a flow file has them; those that are missing have their defaults
 * @throws EdgeError `CONFIG` naming the property
 */
export function ingestConfig(properties: object): IngestConfig {
  const config = parseIngestConfig({ ...properties, source: 'wire', reduce: 'none' });
  const { sourceName } = config;
  return sourceName.from === 'message' && sourceName.path.text !== 'topic'
    ? { ...config, sourceName: parseIngestConfig({}).sourceName }
    : config;
}
