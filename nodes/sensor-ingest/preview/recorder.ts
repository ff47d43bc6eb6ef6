import { setImmediate } from 'node:timers/promises';
import { toEdgeError } from '../../shared/errors';
import { MAX_DEPTH } from '../rows/digest';
import { encodePayload } from './sample';
import type { Recording, Sample } from './result';
import type { Wanted } from '../thread/protocol';

const MAX_MESSAGES = 300;
const MAX_BYTES = 1024 * 1024;
const MAX_TOPICS = 100;
/** A longer topic is none that somebody would choose from a list. */
const MAX_TOPIC_LENGTH = 1024;
/** What is written down for somebody who asks, in characters. */
const MAX_WRITTEN = 2 * 1024 * 1024;
/** What is written down in one go. */
const SLICE = 64 * 1024;
const VALUE_BYTES = 8;
const TOO_MUCH = 'It holds more than 1 MiB, is nested too deep, or cannot be read.';

/** Is handed a message, and when it arrived, ms since the epoch. */
type Listener = (msg: { topic?: unknown; payload?: unknown }, at: number) => void;

/**
 * What a node received lately on one topic, the first that it heard until somebody asks for another. It runs on every
 * message, so it keeps the payload as it is and writes it down only when asked; a payload that is changed later by
 * another node of the flow is shown as changed. Bounded in messages, bytes and topics.
 */
export class Recorder {
  /** Told when other messages are {@link wanted} than before. */
  onWanted: (() => void) | undefined;
  private everything: Listener | undefined;
  private followed: string | undefined;
  private readonly topics = new Set<string>();
  private readonly payloads = new Array<unknown>(MAX_MESSAGES).fill(undefined);
  private readonly times = new Float64Array(MAX_MESSAGES);
  private readonly sizes = new Float64Array(MAX_MESSAGES);
  private first = 0;
  private count = 0;
  private bytes = 0;
  private skipped = 0;

  /** Also handed every message, while somebody records all of them; must not throw. */
  get listener(): Listener | undefined {
    return this.everything;
  }

  set listener(listener: Listener | undefined) {
    this.everything = listener;
    this.onWanted?.();
  }

  /** Which messages it keeps: those of one topic, where there is one already, or all. */
  get wanted(): Wanted {
    return { topic: this.followed, all: this.everything !== undefined };
  }

  /** Lists the topic of a message that is not {@link wanted}. */
  pass(topic: string): void {
    if (!this.topics.has(topic)) {
      this.list(topic);
    }
  }

  /**
   * Takes one message in; never throws.
   *
   * @param at arrival time, ms since the epoch
   */
  record(msg: { topic?: unknown; payload?: unknown }, at: number): void {
    this.everything?.(msg, at);
    try {
      const { topic } = msg;
      const name = typeof topic === 'string' ? topic : '';
      if (name === this.followed) {
        this.keep(msg.payload, at);
      } else if (this.followed === undefined) {
        this.follow(name);
        this.keep(msg.payload, at);
      } else if (!this.topics.has(name)) {
        this.list(name);
      }
    } catch {
      // A message that cannot even be looked at is not kept.
      this.skipped++;
    }
  }

  /** Keeps the messages of another topic from now on; those of the former one are forgotten. */
  follow(topic: string): void {
    if (topic === this.followed) {
      return;
    }
    if (this.followed !== undefined) {
      this.list(this.followed);
    }
    this.followed = topic;
    this.list(topic);
    this.payloads.fill(undefined);
    this.count = 0;
    this.bytes = 0;
    this.skipped = 0;
    this.onWanted?.();
  }

  /** Everything that is remembered, as plain text; written down in slices, with turns of the event loop between them. */
  async recording(): Promise<Recording> {
    const topic = this.followed ?? null;
    const topics = topic === null ? [] : [...new Set([topic, ...this.topics])];
    const leftOut = { count: this.skipped, reason: this.skipped > 0 ? TOO_MUCH : '' };
    const messages = Array.from({ length: this.count }, (_, i) => {
      const place = (this.first + i) % MAX_MESSAGES;
      return { payload: this.payloads[place], at: this.times[place] };
    });
    const samples: Sample[] = [];
    let written = 0;
    let slice = 0;
    // The newest first, so that what is too much is the oldest.
    for (const { payload, at } of messages.reverse()) {
      try {
        const encoded = encodePayload(payload);
        written += encoded.payload.length;
        if (written > MAX_WRITTEN) {
          break;
        }
        samples.push({ topic: topic ?? '', at, ...encoded });
      } catch (thrown) {
        leftOut.count++;
        leftOut.reason = toEdgeError(thrown).message;
      }
      if (written > slice + SLICE) {
        slice = written;
        await setImmediate();
      }
    }
    return { topic, topics, samples: samples.reverse(), leftOut };
  }

  private keep(payload: unknown, at: number): void {
    const size = sizeOf(payload);
    if (size > MAX_BYTES) {
      this.skipped++;
      return;
    }
    while (this.count === MAX_MESSAGES || this.bytes + size > MAX_BYTES) {
      this.bytes -= this.sizes[this.first];
      this.payloads[this.first] = undefined;
      this.first = (this.first + 1) % MAX_MESSAGES;
      this.count--;
    }
    const place = (this.first + this.count) % MAX_MESSAGES;
    this.payloads[place] = apart(payload);
    this.times[place] = at;
    this.sizes[place] = size;
    this.bytes += size;
    this.count++;
  }

  private list(topic: string): void {
    if (topic.length > MAX_TOPIC_LENGTH) {
      return;
    }
    this.topics.add(topic);
    if (this.topics.size > MAX_TOPICS) {
      const [oldest] = this.topics;
      this.topics.delete(oldest);
    }
  }
}

/**
 * A Buffer that is a view of a larger chunk from the network, or from what Node.js cuts small Buffers from, would keep
 * the whole chunk in memory.
 */
function apart(payload: unknown): unknown {
  if (!Buffer.isBuffer(payload) || payload.buffer.byteLength <= 2 * payload.length) {
    return payload;
  }
  const own = Buffer.allocUnsafeSlow(payload.length);
  payload.copy(own);
  return own;
}

/**
 * About how many bytes a payload holds, Infinity when it is nested too deep; goes no further than {@link MAX_BYTES}, nor deeper than any telemetry, so that
 * it costs little beside what the pipeline does with the message.
 */
export function sizeOf(value: unknown, depth = 0): number {
  if (typeof value === 'string') {
    return value.length;
  }
  if (typeof value !== 'object' || value === null) {
    return VALUE_BYTES;
  }
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    return value.byteLength;
  }
  if (depth > MAX_DEPTH) {
    return Infinity;
  }
  let size = VALUE_BYTES;
  if (Array.isArray(value)) {
    const entries: unknown[] = value;
    for (let i = 0; i < entries.length && size <= MAX_BYTES; i++) {
      const entry = entries[i];
      // Long lists are those of samples.
      size += VALUE_BYTES + (typeof entry === 'number' ? 0 : sizeOf(entry, depth + 1));
    }
    return size;
  }
  for (const key of Object.keys(value)) {
    size += key.length + VALUE_BYTES + sizeOf((value as Record<string, unknown>)[key], depth + 1);
    if (size > MAX_BYTES) {
      break;
    }
  }
  return size;
}
