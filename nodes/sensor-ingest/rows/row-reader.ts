import type { Clock } from '../../shared/clock';
import { EdgeError } from '../../shared/errors';
import { isNumberList } from '../../shared/detection/payload';
import type { Quality, Window } from '../../shared/messages';
import type { Random } from '../../shared/random';
import type { IngestConfig } from '../config';
import type { FeatureExtractor } from '../features/features';
import { checkMagnitudes, WaveformReader, type Waveform } from '../features/waveform';
import { ChannelReader, type ChannelSpec } from './channels';
import { Digest, hexOf, type Fingerprint } from './digest';
import { fieldAt, typeName, withinLength } from './paths';
import { parseTimestamp } from './timestamp';

/** One row of a message, read and checked; nothing is remembered of it yet. */
export interface RowReading {
  source: string;
  payload: Record<string, number>;
  /** Event time, else arrival time; ms since the epoch. */
  ts: number;
  /** Whether `ts` came with the row. */
  timed: boolean;
  id: string;
  /** What a repeated delivery is known by; undefined when the id is unique per arrival. */
  fingerprint: Fingerprint | undefined;
  quality: Quality;
  /** Sent later than it happened, while something newer may have come before. */
  historical: boolean;
  /** Set when the values are features of waveforms. */
  window: Window | undefined;
  /** Bytes of the payload as JSON, where they were counted already. */
  jsonBytes?: number;
}

export function jsonBytes(payload: Readonly<Record<string, number>>): number {
  return Buffer.byteLength(JSON.stringify(payload));
}

/** What a row's protocol says of it, where the row itself does not. */
export interface RowFacts {
  source: string;
  ts: number | undefined;
  quality: Quality;
  historical: boolean;
}

/** Reads decoded rows: schema, source, event time, channels, waveforms, id. It has no state but a counter for ids. */
export class RowReader {
  private readonly channels: ChannelReader;
  private readonly waveforms: WaveformReader;
  /** Whether lists of numbers are waveforms. */
  private readonly takesWaveforms: boolean;
  private readonly digest = new Digest();
  private readonly run: string;
  private arrivals = 0;

  constructor(
    private readonly config: Omit<IngestConfig, 'reduce'>,
    private readonly clock: Clock,
    random: Random,
    extractor: FeatureExtractor,
  ) {
    const { sourceName, timestamp, idPath } = config;
    this.takesWaveforms = config.sampleRate > 0 || config.format === 'float32' || config.format === 'int16';
    this.waveforms = new WaveformReader(config.channels, config.sampleRate, extractor);
    this.run = random.int(0x100000000).toString(36) + random.int(0x100000000).toString(36);
    this.channels = new ChannelReader({
      channels: config.channels,
      skip: [
        ...(timestamp ? [timestamp.text] : []),
        ...(idPath ? [idPath.text] : []),
        ...(sourceName.from === 'payload' ? [sourceName.path.text] : []),
      ],
      maxChannels: config.maxChannels,
    });
  }

  /**
   * @param facts of the protocol that carried the row
   * @throws EdgeError with the code of the first thing that is wrong
   */
  read(msg: object, row: unknown, facts?: RowFacts): RowReading {
    const { config } = this;
    if (typeof row !== 'number' && (typeof row !== 'object' || row === null)) {
      throw new EdgeError(
        'DECODE',
        `A row of the payload is ${typeName(row)}, not a number, a list or an object. Correct the sender.`,
      );
    }
    if (!ArrayBuffer.isView(row)) {
      config.schema?.check(row);
    }
    const source = this.sourceOf(msg, row, facts);
    if (this.takesWaveforms && isNumberList(row)) {
      return this.waveformOf(source, row);
    }
    const given = facts && config.timestamp ? facts.ts : undefined;
    const field = given ?? (config.timestamp && fieldAt(row, config.timestamp));
    const timed = field !== undefined;
    const now = this.clock.now();
    const ts = timed ? (given ?? parseTimestamp(field, config.timestamp?.text ?? '')) : now;
    const ahead = timed && ts > now + config.futureLimitMs;
    const waveforms: Waveform[] | undefined = this.takesWaveforms ? [] : undefined;
    const payload = this.channels.read(row, waveforms);
    const reading: RowReading = {
      source,
      payload,
      ts,
      timed,
      id: '',
      fingerprint: undefined,
      quality: facts && facts.quality !== 'good' ? facts.quality : ahead ? 'uncertain' : 'good',
      historical: facts?.historical ?? false,
      window: waveforms?.length ? this.waveforms.read(waveforms, ts, payload) : undefined,
    };
    if (config.window && !reading.window) {
      checkMagnitudes(payload);
    }
    this.identify(reading, row);
    return reading;
  }

  private waveformOf(source: string, samples: ArrayLike<unknown>): RowReading {
    const { channels } = this.config;
    if (channels.length > 1) {
      throw new EdgeError(
        'NO_CHANNELS',
        `The payload is a waveform, which is one channel, but the channels table has ${channels.length} rows. Use one node for waveforms and another for the rest, or send an object with a list for each channel.`,
      );
    }
    const [channel] = channels as readonly (ChannelSpec | undefined)[];
    const payload: Record<string, number> = {};
    const ts = this.clock.now();
    const window = this.waveforms.read([{ name: channel?.name ?? 'value', samples, channel }], ts, payload);
    return {
      source,
      payload,
      ts,
      timed: false,
      id: this.arrivalId(),
      fingerprint: undefined,
      quality: 'good',
      historical: false,
      window,
    };
  }

  /** The sender's id, else one of the content; without an event time the same content can be another reading. */
  private identify(reading: RowReading, row: unknown): void {
    const { idPath } = this.config;
    const sent = idPath && fieldAt(row, idPath);
    if (sent !== undefined && sent !== null) {
      reading.id = this.sentId(sent);
      reading.fingerprint = this.digest.reset().text(reading.id).finish();
    } else if (reading.timed) {
      reading.fingerprint = this.digest.reset().text(reading.source).number(reading.ts).value(row).finish();
      reading.id = hexOf(reading.fingerprint);
    } else {
      reading.id = this.arrivalId();
    }
  }

  /** An id that no other arrival has. */
  private arrivalId(): string {
    return `${this.run}-${(this.arrivals++).toString(36)}`;
  }

  private sourceOf(msg: object, row: unknown, facts: RowFacts | undefined): string {
    const { sourceName } = this.config;
    if (sourceName.from === 'fixed') {
      return sourceName.name;
    }
    const { from, path } = sourceName;
    if (facts && from === 'message' && path.text === 'topic') {
      return withinLength(facts.source, 'The name of the source');
    }
    const found = fieldAt(from === 'payload' ? row : msg, path);
    const name = typeof found === 'number' ? String(found) : found;
    if (typeof name === 'string') {
      return withinLength(name, 'The name of the source');
    }
    if ((found === undefined || found === null) && from === 'message' && path.text === 'topic') {
      return '';
    }
    const property = from === 'payload' ? `payload.${path.text}` : path.text;
    throw new EdgeError(
      'DECODE',
      `The source is looked for in msg.${property}, where there is ${typeName(found)}. Correct the property "sourceId", or the sender.`,
    );
  }

  private sentId(sent: unknown): string {
    if (typeof sent === 'string' || typeof sent === 'number' || typeof sent === 'bigint') {
      return withinLength(String(sent), 'The id');
    }
    throw new EdgeError(
      'DECODE',
      `The id in "${this.config.idPath?.text ?? ''}" is ${typeName(sent)}, not a text or a number. Correct the property "idPath", or the sender.`,
    );
  }
}
