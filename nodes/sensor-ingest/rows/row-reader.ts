import type { Clock } from '../../shared/clock';
import { EdgeError } from '../../shared/errors';
import type { Quality } from '../../shared/messages';
import type { Random } from '../../shared/random';
import { ChannelReader } from './channels';
import type { IngestConfig } from '../config';
import { Digest, hexOf, type Fingerprint } from './digest';
import { excerpt, fieldAt, typeName } from './paths';
import { parseTimestamp } from './timestamp';

/** Longest name of a source and longest id that are kept. */
const MAX_NAME_LENGTH = 1024;

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
}

/** Reads decoded rows: schema, source, event time, channels, id. It has no state but a counter for ids. */
export class RowReader {
  private readonly channels: ChannelReader;
  private readonly digest = new Digest();
  private readonly run: string;
  private arrivals = 0;

  constructor(
    private readonly config: IngestConfig,
    private readonly clock: Clock,
    random: Random,
  ) {
    const { sourceName, timestamp, idPath } = config;
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

  /** @throws EdgeError with the code of the first thing that is wrong */
  read(msg: object, row: unknown): RowReading {
    const { config } = this;
    if (typeof row !== 'number' && (typeof row !== 'object' || row === null)) {
      throw new EdgeError(
        'DECODE',
        `A row of the payload is ${typeName(row)}, not a number, a list or an object. Correct the sender.`,
      );
    }
    config.schema?.check(row);
    const source = this.sourceOf(msg, row);
    const field = config.timestamp && fieldAt(row, config.timestamp);
    const timed = field !== undefined;
    const now = this.clock.now();
    const ts = timed ? parseTimestamp(field, config.timestamp?.text ?? '') : now;
    const payload = this.channels.read(row);
    const quality = timed && ts > now + config.futureLimitMs ? 'uncertain' : 'good';
    const sent = config.idPath && fieldAt(row, config.idPath);
    if (sent !== undefined && sent !== null) {
      const id = this.sentId(sent);
      return { source, payload, ts, timed, id, fingerprint: this.digest.reset().text(id).finish(), quality };
    }
    if (!timed) {
      return { source, payload, ts, timed, id: this.arrivalId(), fingerprint: undefined, quality };
    }
    const fingerprint = this.digest.reset().text(source).number(ts).value(row).finish();
    return { source, payload, ts, timed, id: hexOf(fingerprint), fingerprint, quality };
  }

  /** An id that no other arrival has. */
  arrivalId(): string {
    return `${this.run}-${(this.arrivals++).toString(36)}`;
  }

  sourceOf(msg: object, row: unknown): string {
    const { sourceName } = this.config;
    if (sourceName.from === 'fixed') {
      return sourceName.name;
    }
    const { from, path } = sourceName;
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

function withinLength(name: string, what: string): string {
  if (name.length > MAX_NAME_LENGTH) {
    throw new EdgeError(
      'TOO_LARGE',
      `${what}, "${excerpt(name)}", is longer than ${MAX_NAME_LENGTH} characters. Send a shorter one.`,
    );
  }
  return name;
}
