import { parseCsv } from '../nodes/sensor-ingest/decode/csv';
import { parseTimestamp } from '../nodes/sensor-ingest/rows/timestamp';
import { EdgeError } from '../nodes/shared/errors';
import { excerpt } from '../nodes/shared/text';
import type { SampleMessage } from './sample';

/** A message whose time the sample may not say. */
export type ReadMessage = Omit<SampleMessage, 'at'> & { at: number | undefined };

export interface ReadOptions {
  /** Property of payloads, or column, that holds the time where a line does not. */
  timestamp: string;
  /** Topic of lines that name none. */
  topic: string;
}

const MAX_LINE = 1024 * 1024;
const TOPIC_COLUMNS = ['topic', 'source', 'machine', 'device', 'asset', 'sensor'];
const TIME_COLUMNS = ['ts', 'timestamp', 'time', 'datetime', 'date'];

/**
 * A line of NDJSON: `{"topic": …, "payload": …, "ts"?: …}`; with `"encoding": "base64"` the payload is bytes. A line
 * without `payload` is a payload itself. Empty lines give undefined.
 *
 * @throws EdgeError `SAMPLE` naming the line
 */
export function readLine(line: string, number: number, options: ReadOptions): ReadMessage | undefined {
  if (line.trim() === '') {
    return undefined;
  }
  if (line.length > MAX_LINE) {
    throw unreadable(number, `has more than ${MAX_LINE} characters. Leave it out`);
  }
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw unreadable(
      number,
      `is no JSON: "${excerpt(line.trim())}". Write one {"topic": "…", "payload": …, "ts": …} a line, or name a CSV file *.csv`,
    );
  }
  const entry = isObject(value) && 'payload' in value ? value : { payload: value };
  const topic = 'topic' in entry && typeof entry.topic === 'string' ? entry.topic : options.topic;
  const isBytes = 'encoding' in entry && entry.encoding === 'base64' && typeof entry.payload === 'string';
  const payload = isBytes ? Buffer.from(entry.payload as string, 'base64') : entry.payload;
  const at = timeOf('ts' in entry ? entry.ts : fieldOf(payload, options.timestamp), number);
  return { topic, payload, at, bytes: payloadBytes(payload) };
}

/**
 * Messages of a CSV file with a header: each row is one payload. A column `topic`, `source`, `machine`, `device`, `asset`
 * or `sensor` tells whose it is, a column `ts`, `timestamp`, `time`, `datetime` or `date` when.
 *
 * @param lines of the file, without line ends; quoted cells may not hold any
 * @throws EdgeError `SAMPLE` naming the line
 */
export class CsvReader {
  private header: string | undefined;
  private topicColumn: string | undefined;
  private timeColumn: string | undefined;

  constructor(private readonly options: ReadOptions) {}

  read(line: string, number: number): ReadMessage | undefined {
    if (line.trim() === '') {
      return undefined;
    }
    if (this.header === undefined) {
      this.begin(line, number);
      return undefined;
    }
    const row = this.rowOf(line, number);
    const { topicColumn, timeColumn } = this;
    const named = topicColumn === undefined ? undefined : row[topicColumn];
    const topic = typeof named === 'string' || typeof named === 'number' ? String(named) : this.options.topic;
    const at = timeOf(timeColumn === undefined ? undefined : row[timeColumn], number);
    return { topic, payload: row, at, bytes: payloadBytes(row) };
  }

  private begin(line: string, number: number): void {
    const names = Object.keys(this.parse(`${line}\n${line}`, number));
    if (names.length === 0) {
      throw unreadable(number, 'must be a header that names the columns');
    }
    const find = (wanted: readonly string[]): string | undefined =>
      wanted
        .map((column) => names.find((name) => name.toLowerCase() === column))
        .find((name) => name !== undefined);
    this.header = line;
    this.topicColumn = find(TOPIC_COLUMNS);
    this.timeColumn = find([this.options.timestamp.toLowerCase(), ...TIME_COLUMNS]);
  }

  private rowOf(line: string, number: number): Record<string, unknown> {
    return this.parse(`${this.header ?? ''}\n${line}`, number);
  }

  private parse(text: string, number: number): Record<string, unknown> {
    let row: unknown;
    try {
      row = parseCsv(text, 2);
    } catch (thrown) {
      throw unreadable(
        number,
        `cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      );
    }
    if (!isObject(row)) {
      throw unreadable(1, 'must be a header that names the columns');
    }
    return row;
  }
}

/** Bytes of a payload as it is sent: text as UTF-8, values as JSON. */
export function payloadBytes(payload: unknown): number {
  if (typeof payload === 'string') {
    return Buffer.byteLength(payload);
  }
  if (Buffer.isBuffer(payload)) {
    return payload.length;
  }
  // Undefined has no JSON.
  return payload === undefined ? 0 : Buffer.byteLength(JSON.stringify(payload));
}

/** A message of a sample as a line of NDJSON, for {@link readLine}. */
export function lineOf({ topic, payload, at }: SampleMessage): string {
  const { encoding, written } = writable(payload);
  return JSON.stringify({ topic, payload: written, ts: at, ...(encoding && { encoding }) });
}

/** Bytes that are text are written as text, which is what people look at. */
function writable(payload: unknown): { encoding?: 'base64'; written: unknown } {
  if (!Buffer.isBuffer(payload)) {
    return { written: payload };
  }
  const text = payload.toString('utf8');
  return Buffer.from(text).equals(payload)
    ? { written: text }
    : { written: payload.toString('base64'), encoding: 'base64' };
}

function timeOf(value: unknown, number: number): number | undefined {
  if (value === undefined || value === null) {
    return undefined;
  }
  try {
    return parseTimestamp(value, 'ts');
  } catch {
    const shown = excerpt(JSON.stringify(value));
    throw unreadable(
      number,
      `has a time that cannot be read: ${shown}. Write seconds or milliseconds since 1970, or ISO 8601`,
    );
  }
}

function fieldOf(payload: unknown, name: string): unknown {
  let value = payload;
  if (typeof value === 'string' && value.startsWith('{')) {
    try {
      value = JSON.parse(value);
    } catch {
      return undefined;
    }
  }
  const field = isObject(value) ? value[name] : undefined;
  return typeof field === 'number' || typeof field === 'string' ? field : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unreadable(line: number, reason: string): EdgeError {
  return new EdgeError('SAMPLE', `Line ${line} of the sample ${reason}.`);
}
