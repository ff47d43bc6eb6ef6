import { hashString } from '../nodes/shared/random';
import { TrafficCounter, type Traffic } from './traffic';

/** One message of a sample. */
export interface SampleMessage {
  topic: string;
  /** As a node would receive it: text, bytes, or a decoded value. */
  payload: unknown;
  /** When it arrived, ms since the epoch. */
  at: number;
  /** Bytes of the payload as it was sent. */
  bytes: number;
}

/** What an assessment is made of. */
export interface Sample {
  /** Whole messages, in the order in which they came: all of some topics. */
  messages: SampleMessage[];
  /** Counted over all messages, also those that were not kept. */
  traffic: Traffic;
  /** Topics of which every message was kept, out of all. */
  keptTopics: number;
}

export interface SampleBounds {
  maxBytes: number;
  maxMessages: number;
}

export const SAMPLE_BOUNDS: SampleBounds = { maxBytes: 10 * 1024 * 1024, maxMessages: 100_000 };
/** What one message costs in memory beside its payload and topic. */
const MESSAGE_BYTES = 64;
const MOST_HALVINGS = 16;

/**
 * Counts every message and keeps some whole, within bounds. When there is no more room, every message of half the topics
 * is let go: what is kept of a topic stays without gaps, as a reduction would see it. A single topic is kept from its
 * beginning as far as there is room.
 */
export class SampleBuilder {
  private readonly traffic = new TrafficCounter();
  private messages: SampleMessage[] = [];
  private bytes = 0;
  private halvings = 0;
  private full = false;

  constructor(private readonly bounds = SAMPLE_BOUNDS) {}

  get count(): number {
    return this.traffic.messages;
  }

  add(message: SampleMessage): void {
    this.traffic.add(message);
    if (this.full || !this.isKept(message.topic)) {
      return;
    }
    this.messages.push(message);
    this.bytes += sizeOf(message);
    if (!this.fits()) {
      this.halve();
    }
  }

  /** @param seconds how long it was listened; from the first message to the last when undefined */
  sample(seconds?: number): Sample {
    return {
      messages: this.messages,
      traffic: this.traffic.report(seconds),
      keptTopics: new Set(this.messages.map(({ topic }) => topic)).size,
    };
  }

  private fits(): boolean {
    return this.bytes <= this.bounds.maxBytes && this.messages.length <= this.bounds.maxMessages;
  }

  private halve(): void {
    while (!this.full && !this.fits()) {
      this.halvings++;
      const kept = this.messages.filter(({ topic }) => this.isKept(topic));
      if (kept.length > 0) {
        this.messages = kept;
        this.bytes = kept.reduce((sum, message) => sum + sizeOf(message), 0);
      }
      this.full = kept.length === 0 || this.halvings >= MOST_HALVINGS;
    }
    if (this.full) {
      // One topic, or several that no hash tells apart: from here on there is no room.
      this.messages.pop();
    }
  }

  private isKept(topic: string): boolean {
    return hashString(topic) % 2 ** this.halvings === 0;
  }
}

function sizeOf({ topic, bytes }: SampleMessage): number {
  return bytes + topic.length + MESSAGE_BYTES;
}
