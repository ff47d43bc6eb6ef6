import { invalidProperty, type ConfigReader } from '../../shared/config-reader';
import { isTopicFilter } from '../../shared/topic';

/** A subscription of the direct source. */
export interface Subscription {
  filters: string[];
  broker: string;
  qos: 0 | 1 | 2;
}

/** @returns undefined where messages come by wire */
export function parseSubscription(config: ConfigReader): Subscription | undefined {
  if (config.choice('source', ['wire', 'mqtt'], 'wire') === 'wire') {
    return undefined;
  }
  const broker = config.text('broker');
  if (!broker) {
    throw invalidProperty('broker', 'is empty. Choose the broker to subscribe at');
  }
  const group = config.text('group');
  if (/[/+#]/.test(group)) {
    throw invalidProperty('group', `is "${group}", but must not contain "/", "+" or "#"`);
  }
  // Not by ConfigReader.texts: a comma is an ordinary character of a topic.
  const lines = config
    .text('topic')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length === 0) {
    throw invalidProperty('topic', 'is empty. Enter one topic filter a line, such as plant1/+/telemetry');
  }
  return {
    broker,
    filters: [...new Set(lines)].map((line) => parseFilter(line, group)),
    qos: ([0, 1, 2] as const)[config.number('qos', 1, { min: 0, max: 2, integer: true })],
  };
}

function parseFilter(filter: string, group: string): string {
  const shared = /^\$share\/([^/]*)\/(.*)$/s.exec(filter);
  if (filter.startsWith('$share') && (!shared || shared[1] === '' || /[+#]/.test(shared[1]))) {
    throw invalidProperty(
      'topic',
      `has the line "${filter}", which is no shared subscription $share/<group>/<filter>`,
    );
  }
  if (shared && group) {
    throw invalidProperty(
      'topic',
      `has the line "${filter}", which names a group of its own beside the property "group"`,
    );
  }
  if (!isTopicFilter(shared ? shared[2] : filter)) {
    throw invalidProperty(
      'topic',
      `has the line "${filter}", which is no topic filter. "+" stands for a whole level, "#" for the last`,
    );
  }
  return group ? `$share/${group}/${filter}` : filter;
}
