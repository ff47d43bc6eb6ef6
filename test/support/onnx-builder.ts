import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** Builds small ONNX models by hand (onnx.proto), so that tests can make what no exporter would. */

export const FLOAT = 1;
export const INT64 = 7;
export const BOOL = 9;

type Field = [number: number, value: string | number | bigint | Uint8Array];

/** A message of fields in the order given; whole numbers are varints. */
export function message(...fields: Field[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const [number, value] of fields) {
    if (typeof value === 'string') {
      writer.tag(number, WireType.LengthDelimited).string(value);
    } else if (value instanceof Uint8Array) {
      writer.tag(number, WireType.LengthDelimited).bytes(value);
    } else {
      writer.tag(number, WireType.Varint).int64(BigInt(value));
    }
  }
  return writer.finish();
}

export function node(
  op: string,
  inputs: string[],
  outputs: string[],
  ...attributes: Uint8Array[]
): Uint8Array {
  return message(
    ...inputs.map((name): Field => [1, name]),
    ...outputs.map((name): Field => [2, name]),
    [4, op],
    ...attributes.map((attribute): Field => [5, attribute]),
  );
}

export function graphAttribute(name: string, graph: Uint8Array): Uint8Array {
  return message([1, name], [6, graph], [20, 5]);
}

/** An input or output; texts are symbolic dimensions. */
export function value(name: string, type: number, shape: (number | string)[]): Uint8Array {
  const dims = shape.map((dim): Field => [1, message(typeof dim === 'number' ? [1, dim] : [2, dim])]);
  return message([1, name], [2, message([1, message([1, type], [2, message(...dims)])])]);
}

export function int64Tensor(name: string, dims: number[], values: bigint[]): Uint8Array {
  const data = BigInt64Array.from(values);
  return message(
    ...dims.map((dim): Field => [1, dim]),
    [2, INT64],
    [8, name],
    [9, new Uint8Array(data.buffer)],
  );
}

export interface Graph {
  nodes: Uint8Array[];
  inputs: Uint8Array[];
  outputs: Uint8Array[];
  initializers?: Uint8Array[];
}

export function graph({ nodes, inputs, outputs, initializers = [] }: Graph): Uint8Array {
  return message(
    ...nodes.map((entry): Field => [1, entry]),
    [2, 'g'],
    ...initializers.map((entry): Field => [5, entry]),
    ...inputs.map((entry): Field => [11, entry]),
    ...outputs.map((entry): Field => [12, entry]),
  );
}

/** @param metadata keys and values */
export function model(content: Graph, metadata: Record<string, string> = {}): Uint8Array {
  return message(
    [1, 8],
    [2, 'test'],
    [7, graph(content)],
    [8, message([1, ''], [2, 17])],
    ...Object.entries(metadata).map(([key, text]): Field => [14, message([1, key], [2, text])]),
  );
}
