import type { SampleMessage } from './sample';
import { patternsOf } from './topic-pattern';

/** Messages and bytes of some topics. */
export interface TopicTraffic {
  /** A topic with `+` where its topics differ. */
  pattern: string;
  topics: number;
  messages: number;
  bytes: number;
}

/** What came in a sample. Bytes are those of payloads unless said otherwise. */
export interface Traffic {
  messages: number;
  bytes: number;
  /** Bytes of the topics of all messages. */
  topicBytes: number;
  topics: number;
  seconds: number;
  messagesPerSecond: number;
  bytesPerSecond: number;
  bytesPerDay: number;
  /** The busiest stretch of the series. */
  peakPerSecond: number;
  /** Bytes of a message. */
  size: { p50: number; p95: number; max: number };
  patterns: TopicTraffic[];
  /** Messages a second over time, stretch by stretch. */
  series: { secondsPerPoint: number; points: number[] };
}

export const DAY_S = 86_400;
const MOST_TOPICS = 10_000;
const OTHER = '(more topics)';
const MOST_POINTS = 120;
/** Sizes are told apart by 5 %. */
const SIZE_STEP = Math.log(1.05);

/** Counts messages in bounded memory. */
export class TrafficCounter {
  messages = 0;
  private bytes = 0;
  private topicBytes = 0;
  private largest = 0;
  private first = Infinity;
  private last = -Infinity;
  private readonly topics = new Map<string, { messages: number; bytes: number }>();
  private readonly sizes = new Map<number, number>();
  private readonly rate = new RateSeries();

  add({ topic, bytes, at }: Pick<SampleMessage, 'topic' | 'bytes' | 'at'>): void {
    this.messages++;
    this.bytes += bytes;
    this.topicBytes += Buffer.byteLength(topic);
    this.largest = Math.max(this.largest, bytes);
    this.first = Math.min(this.first, at);
    this.last = Math.max(this.last, at);
    this.rate.add(at);
    const step = Math.round(Math.log(Math.max(1, bytes)) / SIZE_STEP);
    this.sizes.set(step, (this.sizes.get(step) ?? 0) + 1);
    const name = this.topics.has(topic) || this.topics.size < MOST_TOPICS ? topic : OTHER;
    const entry = this.topics.get(name) ?? { messages: 0, bytes: 0 };
    entry.messages++;
    entry.bytes += bytes;
    this.topics.set(name, entry);
  }

  /** @param seconds how long it was listened; from the first message to the last when undefined */
  report(seconds = (this.last - this.first) / 1000): Traffic {
    const time = Math.max(seconds, 0.001);
    const bytesPerSecond = this.bytes / time;
    const series = this.rate.series();
    return {
      messages: this.messages,
      bytes: this.bytes,
      topicBytes: this.topicBytes,
      topics: this.topics.size,
      seconds: time,
      messagesPerSecond: this.messages / time,
      bytesPerSecond,
      bytesPerDay: bytesPerSecond * DAY_S,
      peakPerSecond: Math.max(0, ...series.points),
      size: { p50: this.sizeAt(0.5), p95: this.sizeAt(0.95), max: this.largest },
      patterns: patternsOf(this.topics),
      series,
    };
  }

  private sizeAt(share: number): number {
    let below = 0;
    for (const [step, count] of [...this.sizes].sort(([one], [other]) => one - other)) {
      below += count;
      if (below >= share * this.messages) {
        return Math.min(this.largest, Math.round(Math.exp(step * SIZE_STEP)));
      }
    }
    return this.largest;
  }
}

/** Messages by stretches of time, which become longer when there are too many of them. */
class RateSeries {
  private width = 1;
  private first = Infinity;
  private last = -Infinity;
  private counts = new Map<number, number>();

  add(at: number): void {
    this.addTo(Math.floor(at / (1000 * this.width)), 1);
    while (this.last - this.first >= MOST_POINTS) {
      this.width *= 2;
      const before = this.counts;
      this.counts = new Map();
      [this.first, this.last] = [Infinity, -Infinity];
      before.forEach((count, place) => this.addTo(Math.floor(place / 2), count));
    }
  }

  series(): Traffic['series'] {
    const length = Math.max(0, this.last - this.first + 1);
    const points = Array.from({ length }, (_, i) => (this.counts.get(this.first + i) ?? 0) / this.width);
    // The first and the last stretch are hardly ever whole.
    return { secondsPerPoint: this.width, points: points.length > 3 ? points.slice(1, -1) : points };
  }

  private addTo(place: number, count: number): void {
    this.counts.set(place, (this.counts.get(place) ?? 0) + count);
    this.first = Math.min(this.first, place);
    this.last = Math.max(this.last, place);
  }
}
