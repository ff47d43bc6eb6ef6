import type { TopicTraffic } from './traffic';

/** With more last levels than this the last level is taken to name the machine. */
const MOST_KINDS = 20;
const MOST_PATTERNS = 30;

/**
 * Groups topics that look alike: those with the same number of levels and the same last level, or only the same number
 * where the last levels are many. In a pattern a level that differs is `+`. The busiest first.
 */
export function patternsOf(topics: ReadonlyMap<string, { messages: number; bytes: number }>): TopicTraffic[] {
  const byDepth = groupBy([...topics.keys()], (topic) => String(topic.split('/').length));
  const groups = [...byDepth.values()].flatMap((same) => {
    const byLast = groupBy(same, (topic) => topic.slice(topic.lastIndexOf('/') + 1));
    return byLast.size <= MOST_KINDS && byLast.size < same.length ? [...byLast.values()] : [same];
  });
  return groups
    .map((group) => {
      const traffic: TopicTraffic = {
        pattern: patternOf(group),
        topics: group.length,
        messages: 0,
        bytes: 0,
      };
      for (const topic of group) {
        const { messages = 0, bytes = 0 } = topics.get(topic) ?? {};
        traffic.messages += messages;
        traffic.bytes += bytes;
      }
      return traffic;
    })
    .sort((one, other) => other.bytes - one.bytes)
    .slice(0, MOST_PATTERNS);
}

function patternOf(topics: readonly string[]): string {
  const split = topics.map((topic) => topic.split('/'));
  return split[0]
    .map((level, place) => (split.every((levels) => levels[place] === level) ? level : '+'))
    .join('/');
}

function groupBy(topics: readonly string[], keyOf: (topic: string) => string): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const topic of topics) {
    const key = keyOf(topic);
    const group = groups.get(key);
    if (group) {
      group.push(topic);
    } else {
      groups.set(key, [topic]);
    }
  }
  return groups;
}
