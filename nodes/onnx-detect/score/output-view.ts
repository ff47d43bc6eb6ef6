import { EdgeError } from '../../shared/errors';
import type { TensorArray, TensorData } from '../runtime/backend';

/** A plain value: what JSON can hold. */
export type Plain = number | string | boolean | Plain[];

/** An output as the trial run showed it. */
export interface OutputForm {
  name: string;
  type: string;
  /** Whether the first dimension counts rows. */
  perRow: boolean;
  /** Leading dimensions that count rows: 1, or 0 for a model that answers one row without. */
  rowDims: 0 | 1;
  /** Values a row. */
  size: number;
}

const READABLE = new Set([
  ...['float32', 'float64', 'float16', 'int8', 'uint8', 'int16', 'uint16'],
  ...['int32', 'uint32', 'int64', 'uint64', 'bool', 'string'],
]);

/**
 * Reads from a trial run how each output is laid out.
 * @param rows rows that were fed; more than one where the model allows, to tell rows from other dimensions
 * @throws EdgeError `DTYPE` for an element type that has no plain form
 */
export function outputForms(outputs: Record<string, TensorData>, rows: number): OutputForm[] {
  return Object.entries(outputs).map(([name, { type, dims, data }]) => {
    if (!READABLE.has(type)) {
      throw new EdgeError(
        'DTYPE',
        `The model's output "${name}" gives ${type} tensors, which cannot be read. Export the model with float32 outputs.`,
        { output: name, type },
      );
    }
    const counted = dims.length > 0 && dims[0] === rows;
    const perRow = counted || rows === 1;
    return { name, type, perRow, rowDims: counted ? 1 : 0, size: perRow ? data.length / rows : data.length };
  });
}

/** One number of an output. */
export function numberAt(tensor: TensorData, index: number): number {
  return Number(tensor.data[index]);
}

/** Every output's values for one row, as plain numbers and nested arrays of the tensor's own shape. */
export function plainRow(
  outputs: Record<string, TensorData>,
  forms: readonly OutputForm[],
  row: number,
): Record<string, Plain> {
  const plain: Record<string, Plain> = {};
  for (const { name, perRow, rowDims, size } of forms) {
    const tensor = outputs[name];
    plain[name] = nested(tensor, tensor.dims.slice(rowDims), perRow ? row * size : 0);
  }
  return plain;
}

function nested(tensor: TensorData, dims: readonly number[], from: number): Plain {
  if (dims.length === 0) {
    return scalar(tensor.data, tensor.type, from);
  }
  const [length, ...inner] = dims;
  const step = inner.reduce((product, dim) => product * dim, 1);
  return Array.from({ length }, (_, at) => nested(tensor, inner, from + at * step));
}

function scalar(data: TensorArray, type: string, at: number): Plain {
  const value = data[at];
  return type === 'bool' ? Boolean(value) : typeof value === 'bigint' ? Number(value) : value;
}
