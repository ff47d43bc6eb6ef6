import { EdgeError } from '../../shared/errors';
import type { Quality } from '../../shared/messages';
import type { ReadMessage } from '../message-reader';
import { hexOf } from '../rows/digest';
import { jsonBytes, type RowReading } from '../rows/row-reader';

/** A message of the broker on its way from the thread that read it to the node. */
export interface Delivery {
  topic: string;
  qos: 0 | 1 | 2;
  retain: boolean;
  /** What was read, or why it cannot be; undefined for what only the node itself can read. */
  read: ReadMessage | EdgeError | undefined;
  /** As it came, where the node wants to see it. */
  payload: Uint8Array | undefined;
}

/** Deliveries in few large pieces: to copy an object with each of its names costs more than to read the message. */
export interface PackedDeliveries {
  count: number;
  /** See {@link DeliveryPacker.add} for what follows what. */
  numbers: Float64Array<ArrayBuffer>;
  texts: string[];
  payloads: Uint8Array[];
  errors: { code: string; message: string; details: Record<string, unknown> | undefined }[];
  /** Names of channels that rows have together, numbered on from those of earlier batches. */
  shapes: (readonly string[])[];
  /** Whether the numbers of shapes begin anew. */
  renumbered: boolean;
}

/** Qualities by number. */
export const QUALITIES: readonly Quality[] = ['good', 'uncertain', 'bad'];
/** Sets of channels that are remembered; senders that change theirs all the time would fill the memory. */
const MOST_SHAPES = 1000;
const FIRST_NUMBERS = 1024;

/** Flags of a message; its quality of service is in the lowest two bits. */
export const MESSAGE = { qos: 3, retain: 4, batch: 8, read: 16, refused: 32, payload: 64 } as const;
/** Flags of a row; its quality is in the lowest two bits. */
export const ROW = {
  quality: 3,
  timed: 4,
  historical: 8,
  fingerprint: 16,
  window: 32,
  sampleRate: 64,
  sourceIsTopic: 128,
  idIsFingerprint: 256,
} as const;

/** Packs deliveries in the thread. */
export class DeliveryPacker {
  /** How many are packed. */
  count = 0;
  /** Bytes of payloads that go along as they came. */
  payloadBytes = 0;
  private numbers = new Float64Array(FIRST_NUMBERS);
  private used = 0;
  private texts: string[] = [];
  private payloads: Uint8Array[] = [];
  private errors: PackedDeliveries['errors'] = [];
  private shapes: (readonly string[])[] = [];
  private renumbered = false;
  private readonly numbersOf = new Map<string, number>();
  private last: { names: readonly string[]; number: number } | undefined;

  /**
   * A message is its flags, its bytes and the number of its rows; a row its flags, shape, time, bytes as JSON, then its
   * fingerprint and window where it has one, and its values.
   */
  add({ topic, qos, retain, read, payload }: Delivery): void {
    const refused = read instanceof EdgeError;
    const message = refused ? undefined : read;
    this.count++;
    this.texts.push(topic);
    this.reserve(3);
    this.put(
      qos |
        (retain ? MESSAGE.retain : 0) |
        (message?.batch ? MESSAGE.batch : 0) |
        (message ? MESSAGE.read : 0) |
        (refused ? MESSAGE.refused : 0) |
        (payload ? MESSAGE.payload : 0),
    );
    this.put(message?.bytes ?? 0);
    this.put(message?.readings.length ?? 0);
    if (payload) {
      // A copy: what came lies in a larger chunk from the network.
      this.payloads.push(new Uint8Array(payload));
      this.payloadBytes += payload.length;
    }
    if (refused) {
      const { code, message: text, details } = read;
      this.errors.push({ code, message: text, details });
    }
    message?.readings.forEach((row) => this.addRow(row, topic));
  }

  /** What was packed since the last call. */
  take(): PackedDeliveries {
    const { count, texts, payloads, errors, shapes, renumbered } = this;
    const numbers = this.numbers.slice(0, this.used);
    this.count = this.used = this.payloadBytes = 0;
    this.texts = [];
    this.payloads = [];
    this.errors = [];
    this.shapes = [];
    this.renumbered = this.numbersOf.size >= MOST_SHAPES;
    if (this.renumbered) {
      this.numbersOf.clear();
      this.last = undefined;
    }
    return { count, numbers, texts, payloads, errors, shapes, renumbered };
  }

  private addRow(row: RowReading, topic: string): void {
    const { payload, fingerprint, window } = row;
    const names = Object.keys(payload);
    this.reserve(10 + names.length);
    const sourceIsTopic = row.source === topic;
    const idIsFingerprint = fingerprint !== undefined && row.id === hexOf(fingerprint);
    this.put(
      QUALITIES.indexOf(row.quality) |
        (row.timed ? ROW.timed : 0) |
        (row.historical ? ROW.historical : 0) |
        (fingerprint ? ROW.fingerprint : 0) |
        (window ? ROW.window : 0) |
        (window?.sampleRate !== undefined ? ROW.sampleRate : 0) |
        (sourceIsTopic ? ROW.sourceIsTopic : 0) |
        (idIsFingerprint ? ROW.idIsFingerprint : 0),
    );
    this.put(this.shapeOf(names));
    this.put(row.ts);
    this.put(jsonBytes(payload));
    if (fingerprint) {
      this.put(fingerprint.high);
      this.put(fingerprint.low);
    }
    if (window) {
      this.put(window.start);
      this.put(window.end);
      this.put(window.count);
      this.put(window.sampleRate ?? 0);
    }
    for (const name of names) {
      this.put(payload[name]);
    }
    if (!sourceIsTopic) {
      this.texts.push(row.source);
    }
    if (!idIsFingerprint) {
      this.texts.push(row.id);
    }
  }

  private put(value: number): void {
    this.numbers[this.used++] = value;
  }

  private reserve(count: number): void {
    if (this.used + count > this.numbers.length) {
      const larger = new Float64Array(Math.max(2 * this.numbers.length, this.used + count));
      larger.set(this.numbers);
      this.numbers = larger;
    }
  }

  private shapeOf(names: readonly string[]): number {
    const { last } = this;
    if (last && sameNames(last.names, names)) {
      return last.number;
    }
    const key = JSON.stringify(names);
    let number = this.numbersOf.get(key);
    if (number === undefined) {
      number = this.numbersOf.size;
      this.numbersOf.set(key, number);
      this.shapes.push(names);
    }
    this.last = { names, number };
    return number;
  }
}

function sameNames(left: readonly string[], right: readonly string[]): boolean {
  if (left.length !== right.length) {
    return false;
  }
  for (let i = 0; i < left.length; i++) {
    if (left[i] !== right[i]) {
      return false;
    }
  }
  return true;
}
