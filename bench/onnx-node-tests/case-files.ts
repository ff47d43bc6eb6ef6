import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TensorArray, TensorData } from '../../nodes/onnx-detect/runtime/backend';
import { fromHalf } from '../../nodes/onnx-detect/runtime/half';

/** One of ONNX's own node tests, as `cases.json` describes it. */
export interface TestCase {
  /** Such as `test_abs`. */
  name: string;
  operators: readonly string[];
  /** Declared types, such as `float` or `seq(int64)`, in the order of the graph's inputs. */
  inputs: readonly string[];
  outputs: readonly string[];
}

interface Element {
  type: string;
  /** An array over raw data, little-endian as the file is. */
  view: (raw: ArrayBuffer) => Exclude<TensorArray, string[]>;
}

/** TensorProto.DataType of the types that the backend carries, without strings. */
const ELEMENTS: Partial<Record<number, Element>> = {
  1: { type: 'float32', view: (raw) => new Float32Array(raw) },
  2: { type: 'uint8', view: (raw) => new Uint8Array(raw) },
  3: { type: 'int8', view: (raw) => new Int8Array(raw) },
  4: { type: 'uint16', view: (raw) => new Uint16Array(raw) },
  5: { type: 'int16', view: (raw) => new Int16Array(raw) },
  6: { type: 'int32', view: (raw) => new Int32Array(raw) },
  7: { type: 'int64', view: (raw) => new BigInt64Array(raw) },
  9: { type: 'bool', view: (raw) => new Uint8Array(raw) },
  10: { type: 'float16', view: halves },
  11: { type: 'float64', view: (raw) => new Float64Array(raw) },
  12: { type: 'uint32', view: (raw) => new Uint32Array(raw) },
  13: { type: 'uint64', view: (raw) => new BigUint64Array(raw) },
};
const STRING = 8;
/** Declared types that the backend carries. */
const CARRIED = new Set(
  'float double float16 int8 uint8 int16 uint16 int32 uint32 int64 uint64 bool string'.split(' '),
);

/** Cases of a prepared folder by name; undefined when it is not one. */
export function readCases(folder: string): TestCase[] | undefined {
  const index = join(folder, 'cases.json');
  if (!existsSync(index) || !existsSync(join(folder, 'node'))) {
    return undefined;
  }
  const cases = JSON.parse(readFileSync(index, 'utf8')) as Record<string, Omit<TestCase, 'name'>>;
  return Object.entries(cases).map(([name, fields]) => ({ ...fields, name }));
}

/** Types of a case's inputs and outputs that the backend has no form for. */
export function foreignTypes({ inputs, outputs }: TestCase): string[] {
  return [...new Set([...inputs, ...outputs])].filter((type) => !CARRIED.has(type));
}

export function modelBytes(folder: string, { name }: TestCase): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(readFileSync(join(folder, 'node', name, 'model.onnx')));
}

/** What the case feeds, or what it expects, in the order of the graph's inputs or outputs. */
export function readTensors(folder: string, test: TestCase, kind: 'input' | 'output'): TensorData[] {
  const types = kind === 'input' ? test.inputs : test.outputs;
  return types.map((_, at) =>
    parseTensor(readFileSync(join(folder, 'node', test.name, 'test_data_set_0', `${kind}_${at}.pb`))),
  );
}

/** The highest rank of a case's tensors; undefined where one is of a type that the backend does not carry. */
export function rankOf(folder: string, test: TestCase): number | undefined {
  if (foreignTypes(test).length > 0) {
    return undefined;
  }
  const tensors = [...readTensors(folder, test, 'input'), ...readTensors(folder, test, 'output')];
  return Math.max(...tensors.map(({ dims }) => dims.length));
}

/** Reads a TensorProto (onnx.proto): its values lie in `raw_data`, or in the field that its type has. */
export function parseTensor(bytes: Uint8Array): TensorData {
  const reader = new BinaryReader(bytes);
  const dims: number[] = [];
  const numbers: (number | bigint)[] = [];
  const texts: string[] = [];
  let type = 0;
  let raw: ArrayBuffer | undefined;
  /** One value, or several packed. */
  const each = (wire: WireType, read: () => void): void => {
    const end = wire === WireType.LengthDelimited ? reader.uint32() + reader.pos : reader.pos + 1;
    while (reader.pos < end) {
      read();
    }
  };
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    switch (field) {
      case 1:
        each(wire, () => dims.push(Number(reader.int64())));
        break;
      case 2:
        type = reader.int32();
        break;
      case 4:
        each(wire, () => numbers.push(reader.float()));
        break;
      case 5:
        each(wire, () => numbers.push(reader.int32()));
        break;
      case 6:
        texts.push(reader.string());
        break;
      case 7:
        each(wire, () => numbers.push(BigInt(reader.int64())));
        break;
      case 9:
        raw = Uint8Array.from(reader.bytes()).buffer;
        break;
      case 10:
        each(wire, () => numbers.push(reader.double()));
        break;
      case 11:
        each(wire, () => numbers.push(BigInt(reader.uint64())));
        break;
      default:
        reader.skip(wire, field);
    }
  }
  if (type === STRING) {
    return { type: 'string', dims, data: texts };
  }
  const element = ELEMENTS[type];
  if (!element) {
    throw new Error(`TensorProto of type ${type}`);
  }
  return { type: element.type, dims, data: raw ? element.view(raw) : typed(element, numbers) };
}

/** As the backend carries them; where this Node.js can read them itself, a mistake of the backend's shows. */
function halves(raw: ArrayBuffer): Float32Array {
  const { Float16Array: Halves } = globalThis as {
    Float16Array?: new (raw: ArrayBuffer) => ArrayLike<number>;
  };
  return Halves ? Float32Array.from(new Halves(raw)) : fromHalf(new Uint16Array(raw));
}

/** Values of a field as the type has them; half-precision numbers are there as their bits. */
function typed({ type, view }: Element, numbers: readonly (number | bigint)[]): TensorArray {
  if (type === 'float16') {
    return halves(Uint16Array.from(numbers, Number).buffer);
  }
  const data = view(new ArrayBuffer(8 * numbers.length)).slice(0, numbers.length);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    data.set(numbers.map(BigInt));
  } else {
    data.set(numbers.map(Number));
  }
  return data;
}
