import type { SparkplugMetric, WireValue } from './payload';

/** Data types (Sparkplug 3.0, 6.4.16) of whole numbers: bits, and whether they have a sign. */
const WHOLE: Partial<Record<number, { bits: number; signed: boolean }>> = {
  1: { bits: 8, signed: true },
  2: { bits: 16, signed: true },
  3: { bits: 32, signed: true },
  4: { bits: 64, signed: true },
  5: { bits: 8, signed: false },
  6: { bits: 16, signed: false },
  7: { bits: 32, signed: false },
  8: { bits: 64, signed: false },
};
const DATE_TIME = 13;

/** Packed little-endian arrays by data type: bytes an element, and how one is read. */
const ARRAYS: Partial<Record<number, [width: number, read: (view: DataView, at: number) => number]>> = {
  22: [1, (view, at) => view.getInt8(at)],
  23: [2, (view, at) => view.getInt16(at, true)],
  24: [4, (view, at) => view.getInt32(at, true)],
  25: [8, (view, at) => Number(view.getBigInt64(at, true))],
  26: [1, (view, at) => view.getUint8(at)],
  27: [2, (view, at) => view.getUint16(at, true)],
  28: [4, (view, at) => view.getUint32(at, true)],
  29: [8, (view, at) => Number(view.getBigUint64(at, true))],
  30: [4, (view, at) => view.getFloat32(at, true)],
  31: [8, (view, at) => view.getFloat64(at, true)],
};

/** A value of a row: what a JSON sender would have sent. */
export type PlainValue = number | boolean | string | number[] | { [name: string]: PlainValue };

/** What a birth says of a metric that its data need not repeat; of a template, by the names of its members. */
export interface Declared {
  datatype: number | undefined;
  members: ReadonlyMap<string, Declared> | undefined;
}

/** Says that a value cannot be told without the data type that the birth certificate gives. */
export const AMBIGUOUS = Symbol('ambiguous');

/**
 * The value of a metric, by the data type that it or its birth certificate names.
 *
 * @param declared what the birth said of it, where one is known
 * @returns undefined for what is no telemetry (null, data sets, files, property sets); {@link AMBIGUOUS} for a whole
 *   number that would differ with and without a sign when no data type is known
 */
export function plainValue(
  metric: SparkplugMetric,
  declared: Declared | undefined,
): PlainValue | undefined | typeof AMBIGUOUS {
  const { value } = metric;
  const datatype = metric.datatype ?? declared?.datatype;
  if (metric.isNull || value === undefined) {
    return undefined;
  }
  switch (value.kind) {
    case 'int':
    case 'long':
      return datatype === DATE_TIME
        ? isoTime(Number(value.value))
        : wholeNumber(value, datatype === undefined ? undefined : WHOLE[datatype]);
    case 'bytes':
      return datatype === undefined ? undefined : unpackArray(value.value, datatype);
    case 'template':
      return templateValue(value.metrics, declared?.members);
    case 'float':
    case 'double':
    case 'boolean':
    case 'string':
      return value.value;
  }
}

function wholeNumber(
  { kind, value }: WireValue & { kind: 'int' | 'long' },
  type: { bits: number; signed: boolean } | undefined,
): number | typeof AMBIGUOUS {
  const bits = BigInt(value);
  if (type) {
    return Number(type.signed ? BigInt.asIntN(type.bits, bits) : BigInt.asUintN(type.bits, bits));
  }
  return bits >> (kind === 'int' ? 31n : 63n) === 0n ? Number(bits) : AMBIGUOUS;
}

function isoTime(ms: number): string | undefined {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

function unpackArray(bytes: Uint8Array, datatype: number): number[] | undefined {
  const array = ARRAYS[datatype];
  if (!array || bytes.length % array[0] !== 0) {
    return undefined;
  }
  const [width, read] = array;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / width }, (_, i) => read(view, i * width));
}

function templateValue(
  metrics: readonly SparkplugMetric[],
  declared: ReadonlyMap<string, Declared> | undefined,
): PlainValue | undefined | typeof AMBIGUOUS {
  const entries: [string, PlainValue][] = [];
  for (const metric of metrics) {
    const value = plainValue(metric, declared?.get(metric.name ?? ''));
    if (value === AMBIGUOUS) {
      return AMBIGUOUS;
    }
    if (value !== undefined && metric.name !== undefined) {
      entries.push([metric.name, value]);
    }
  }
  // Not by assignment, which would take the name __proto__ for more than a name.
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

/** What a birth's metric declares for the data that follows. */
export function declarationOf({ datatype, value }: SparkplugMetric): Declared {
  return { datatype, members: value?.kind === 'template' ? membersOf(value.metrics) : undefined };
}

function membersOf(metrics: readonly SparkplugMetric[]): Map<string, Declared> {
  return new Map(metrics.map((metric) => [metric.name ?? '', declarationOf(metric)]));
}
