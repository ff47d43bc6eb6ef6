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
  /** Whether its shape was the same in all trial runs; else it depends on the values that the model is given. */
  isSteady: boolean;
}

/**
 * Reads from trial runs how each output is laid out.
 * @param trials outputs for different inputs of as many rows, the one to go by first
 * @param rows rows that were fed; more than one where the model allows, to tell rows from other dimensions
 */
export function outputForms(trials: readonly Record<string, TensorData>[], rows: number): OutputForm[] {
  return Object.entries(trials[0]).map(([name, { type, dims, data }]) => {
    const counted = dims.length > 0 && dims[0] === rows;
    const perRow = counted || rows === 1;
    return {
      name,
      type,
      perRow,
      rowDims: counted ? 1 : 0,
      size: perRow ? data.length / rows : data.length,
      isSteady: trials.every((trial) => String(trial[name].dims) === String(dims)),
    };
  });
}

/**
 * Makes sure that an output still has the shape that it had in its trial: a value's place follows from it.
 * @param rows rows of the tensor
 * @throws EdgeError `INFERENCE`
 */
export function expectForm({ name, rowDims, size }: OutputForm, tensor: TensorData, rows: number): void {
  if (tensor.data.length !== size * rows || (rowDims === 1 && tensor.dims[0] !== rows)) {
    throw new EdgeError(
      'INFERENCE',
      `The model's output "${name}" has another shape for this reading than in its trial: [${tensor.dims.join(', ')}] for ${rows} row${rows === 1 ? '' : 's'} of ${size}. Choose another "output", or export the model with one whose shape does not depend on the values.`,
      { output: name },
    );
  }
}

/** One number of an output. */
export function numberAt(tensor: TensorData, index: number): number {
  return Number(tensor.data[index]);
}

/**
 * Every output's values for one row, as plain numbers and nested arrays of the tensor's own shape; an output whose first
 * dimension does not count the rows comes whole.
 * @param rows rows of the tensor
 */
export function plainRow(
  outputs: Record<string, TensorData>,
  forms: readonly OutputForm[],
  row: number,
  rows: number,
): Record<string, Plain> {
  const plain: Record<string, Plain> = {};
  for (const { name, rowDims } of forms) {
    const tensor = outputs[name];
    const isSplit = rowDims === 1 && tensor.dims[0] === rows;
    plain[name] = isSplit ? nested(tensor, 1, row * (tensor.data.length / rows)) : nested(tensor, 0, 0);
  }
  return plain;
}

/**
 * @param axis the dimension from which on the values are nested
 * @param from the place of the first of them
 */
function nested(tensor: TensorData, axis: number, from: number): Plain {
  const { dims } = tensor;
  if (axis >= dims.length) {
    return scalar(tensor.data, tensor.type, from);
  }
  let step = 1;
  for (let inner = axis + 1; inner < dims.length; inner++) {
    step *= dims[inner];
  }
  const values = new Array<Plain>(dims[axis]);
  for (let at = 0; at < values.length; at++) {
    values[at] = nested(tensor, axis + 1, from + at * step);
  }
  return values;
}

function scalar(data: TensorArray, type: string, at: number): Plain {
  const value = data[at];
  return type === 'bool' ? Boolean(value) : typeof value === 'bigint' ? Number(value) : value;
}
