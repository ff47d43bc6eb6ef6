import { VARIANTS, type Variant } from './forest/variant';
import type { ReferenceState } from './reference';
import type { RowBuilderState } from './row-builder';
import type { ThresholdState } from './threshold';

/** What a model carries over a restart. The trees grow again from the rows, their numbers and the seed. */
export interface ModelState {
  variant: Variant;
  channels: string[];
  /** Numbers a row. */
  width: number;
  seed: number;
  /** Keeps the random streams of sources apart. */
  stream: number;
  /** Number of the first row in `rows`, counted from the start of learning. */
  first: number;
  rows: Float32Array;
  /** The reference's rows, and how many rows had been learned when it was complete. */
  reference: ReferenceState | null;
  /** Whether the reference's forest gives the score. */
  stands: boolean;
  flagged: number;
  epoch: number;
  threshold: ThresholdState;
}

/** All that is stored of a source. */
export interface SourceState {
  shingle: number;
  smoothing: number;
  model: ModelState;
  /** Null when several sources share the forest. */
  builder: RowBuilderState | null;
}

/** A state as plain data whose number lists are bytes (in a store) or base64 (in JSON), little-endian. */
export type StateDocument = Record<string, unknown>;

const VERSION = 1;
const MAX_CHANNELS = 1000;
const MAX_VALUES = 20_000_000;

type Numbers = Float32Array | Float64Array;

/** A state whose rows are to be learned by another variant, whose scores are others: the commissioned rows come last. */
export function withoutScores(state: ModelState): ModelState {
  const { rows, reference, threshold } = state;
  const all = new Float32Array(rows.length + (reference?.rows.length ?? 0));
  all.set(rows);
  all.set(reference?.rows ?? [], rows.length);
  return {
    ...state,
    first: 0,
    rows: all,
    reference: null,
    stands: false,
    flagged: 0,
    threshold: {
      ...{ scores: new Float32Array(0), count: 0, given: 0, sum: 0, squares: 0, highest: 0, limit: null },
      setting: threshold.setting,
    },
  };
}

/** @param bytes how a number list is written down */
export function toDocument(state: SourceState, bytes: (list: Uint8Array) => unknown): StateDocument {
  const write = (list: Numbers): unknown =>
    bytes(new Uint8Array(list.buffer, list.byteOffset, list.byteLength));
  const { model, builder } = state;
  return {
    version: VERSION,
    shingle: state.shingle,
    smoothing: state.smoothing,
    ...model,
    rows: write(model.rows),
    reference: model.reference && {
      at: model.reference.at,
      rows: write(model.reference.rows),
      proven: model.reference.proven && {
        stride: model.reference.proven.stride,
        rows: write(model.reference.proven.rows),
      },
    },
    threshold: { ...model.threshold, scores: write(model.threshold.scores) },
    builder: builder && {
      last: write(builder.last),
      average: write(builder.average),
      lags: write(builder.lags),
      joined: builder.joined,
    },
  };
}

/**
 * Reads a document that anyone may have written.
 *
 * @param bytes reads a number list; undefined for something else
 * @throws Error that names the field at fault
 */
export function fromDocument(raw: unknown, bytes: (list: unknown) => Uint8Array | undefined): SourceState {
  const document = fields(raw, 'the forest');
  if (document.version !== VERSION) {
    throw new Error(`version ${String(document.version)} is not known; this version writes ${VERSION}`);
  }
  const floats = (value: unknown, name: string): Float32Array =>
    new Float32Array(listBytes(bytes, value, name, 4));
  const doubles = (value: unknown, name: string): Float64Array =>
    new Float64Array(listBytes(bytes, value, name, 8));
  const channels = channelList(document.channels);
  const shingle = whole(document.shingle, 'shingle', 1);
  const width = channels.length * shingle;
  const rowsOf = (value: unknown, name: string): Float32Array => {
    const rows = floats(value, name);
    if (document.width !== width || rows.length % width !== 0 || rows.includes(Infinity)) {
      throw new Error(`"${name}" does not hold rows of ${width} numbers`);
    }
    return rows;
  };
  const threshold = fields(document.threshold, '"threshold"');
  const scores = floats(threshold.scores, 'threshold.scores');
  const reference = document.reference === null ? null : fields(document.reference, '"reference"');
  const referenceRows = reference && rowsOf(reference.rows, 'reference.rows');
  if (referenceRows?.length === 0) {
    throw new Error('"reference.rows" is empty');
  }
  // The first version had none.
  const grown = reference?.proven ? fields(reference.proven, '"reference.proven"') : null;
  const proven = grown && {
    stride: whole(grown.stride, 'reference.proven.stride', 1),
    rows: rowsOf(grown.rows, 'reference.proven.rows'),
  };
  const builder = document.builder === null ? null : fields(document.builder, '"builder"');
  return {
    shingle,
    smoothing: amount(document.smoothing, 'smoothing'),
    model: {
      // The first version knew no other.
      variant: VARIANTS.find((variant) => variant === document.variant) ?? 'standard',
      channels,
      width,
      seed: whole(document.seed, 'seed', -Infinity),
      stream: whole(document.stream, 'stream', 0),
      first: whole(document.first, 'first', 0),
      rows: rowsOf(document.rows, 'rows'),
      reference:
        reference && referenceRows
          ? { at: whole(reference.at, 'reference.at', 0), rows: referenceRows, proven }
          : null,
      stands: document.stands === true && reference !== null,
      flagged: whole(document.flagged, 'flagged', 0),
      epoch: whole(document.epoch, 'epoch', 0),
      threshold: {
        scores,
        count: whole(threshold.count, 'threshold.count', scores.length),
        given: whole(threshold.given, 'threshold.given', 0),
        sum: amount(threshold.sum, 'threshold.sum'),
        squares: amount(threshold.squares, 'threshold.squares'),
        highest: amount(threshold.highest, 'threshold.highest'),
        setting: String(threshold.setting),
        limit: threshold.limit === null ? null : amount(threshold.limit, 'threshold.limit'),
      },
    },
    builder: builder && {
      last: sized(doubles(builder.last, 'builder.last'), channels.length, 'builder.last'),
      average: sized(doubles(builder.average, 'builder.average'), channels.length, 'builder.average'),
      lags: sized(floats(builder.lags, 'builder.lags'), width, 'builder.lags'),
      joined: Math.min(whole(builder.joined, 'builder.joined', 0), shingle),
    },
  };
}

function fields(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`${name} is no object`);
  }
  return value as Record<string, unknown>;
}

function channelList(value: unknown): string[] {
  if (
    !Array.isArray(value) ||
    value.length === 0 ||
    value.length > MAX_CHANNELS ||
    !value.every((entry): entry is string => typeof entry === 'string')
  ) {
    throw new Error(`"channels" is no list of 1 to ${MAX_CHANNELS} names`);
  }
  return value;
}

function whole(value: unknown, name: string, least: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < least) {
    throw new Error(`"${name}" is no whole number from ${least}`);
  }
  return value as number;
}

function amount(value: unknown, name: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
    throw new Error(`"${name}" is no number from 0`);
  }
  return value;
}

function sized<T extends Numbers>(list: T, length: number, name: string): T {
  if (list.length !== length) {
    throw new Error(`"${name}" does not hold ${length} numbers`);
  }
  return list;
}

/** A copy of a list's bytes, which are not aligned where they lie. */
function listBytes(
  bytes: (list: unknown) => Uint8Array | undefined,
  value: unknown,
  name: string,
  unit: number,
): ArrayBuffer {
  const list = bytes(value);
  if (!list || list.byteLength % unit !== 0 || list.byteLength / unit > MAX_VALUES) {
    throw new Error(`"${name}" is no list of numbers`);
  }
  return new Uint8Array(list).buffer;
}
