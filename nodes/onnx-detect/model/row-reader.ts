import { isNumberList, channelField } from '../../shared/detection/payload';
import { EdgeError } from '../../shared/errors';
import type { TensorData } from '../runtime/backend';
import type { InputPlan, InputType } from './input-plan';

/** What a missing or non-finite feature becomes. */
export type MissingPolicy = 'reject' | 'nan' | 'zero' | 'last';

/**
 * Reads the values of one row, in the order of the model's features and in the channels' own units.
 *
 * @param values takes them, from place `at` on
 * @param last the source's values before this, for the policy `last`
 * @throws EdgeError `SHAPE` for a payload of another form or length, `FEATURE_MISSING`
 */
export function readRow(
  plan: InputPlan,
  payload: unknown,
  missing: MissingPolicy,
  last: ArrayLike<number> | undefined,
  values: Float64Array,
  at: number,
): void {
  const byPosition = isNumberList(payload);
  if (byPosition && payload.length !== plan.width) {
    throw wrongLength(plan, payload.length);
  }
  if (typeof payload === 'number' && plan.width !== 1) {
    throw wrongLength(plan, 1);
  }
  if (!byPosition && typeof payload !== 'number') {
    expectObject(plan, payload);
  }
  for (let place = 0; place < plan.width; place++) {
    const field = byPosition
      ? payload[place]
      : typeof payload === 'number'
        ? payload
        : channelField(payload, plan.names?.[place] ?? '');
    const value = toNumber(field, plan.type);
    values[at + place] = Number.isFinite(value) ? value : substitute(plan, place, field, missing, last);
  }
}

/** The model's input being filled, row by row. */
export type InputData = Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array;

/** Room for so many rows, or for as many as the model insists on. */
export function allocateInput(plan: InputPlan, rows: number): InputData {
  const length = (plan.fixedRows ?? rows) * plan.width;
  switch (plan.type) {
    case 'float32':
      return new Float32Array(length);
    case 'float64':
      return new Float64Array(length);
    case 'int64':
      return new BigInt64Array(length);
    case 'int32':
      return new Int32Array(length);
    case 'bool':
      return new Uint8Array(length);
  }
}

/**
 * Scales one row as the card says and packs it into the input.
 * @param at place of the row's first value in both `values` and `data`
 * @throws EdgeError `DTYPE` for a value that the input's type cannot hold
 */
export function packRow(plan: InputPlan, values: Float64Array, at: number, data: InputData): void {
  for (let place = 0; place < plan.width; place++) {
    const value = (values[at + place] - plan.mean[place]) / plan.scale[place];
    if (data instanceof BigInt64Array) {
      data[at + place] = BigInt(
        integer(plan, place, value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
      );
    } else if (data instanceof Int32Array) {
      data[at + place] = integer(plan, place, value, -0x80000000, 0x7fffffff);
    } else if (data instanceof Uint8Array) {
      data[at + place] = integer(plan, place, value, 0, 1);
    } else {
      data[at + place] = value;
      if (!Number.isFinite(data[at + place]) && !Number.isNaN(value)) {
        throw unfit(plan, place, value);
      }
    }
  }
}

/** The tensor of the first `rows` rows; rows that the model insists on besides are zeros. */
export function inputTensor(plan: InputPlan, data: InputData, rows: number): TensorData {
  const used = rows * plan.width;
  const tensorRows = plan.fixedRows ?? rows;
  if (plan.fixedRows !== undefined) {
    data.fill(0 as never, used);
  }
  return {
    type: plan.type,
    dims: plan.rank === 1 ? [tensorRows] : [tensorRows, plan.width],
    data: plan.fixedRows === undefined && data.length > used ? data.slice(0, used) : data,
  };
}

function toNumber(field: unknown, type: InputType): number {
  if (typeof field === 'number') {
    return field;
  }
  if (typeof field === 'bigint' || (typeof field === 'boolean' && type === 'bool')) {
    return Number(field);
  }
  return NaN;
}

function substitute(
  plan: InputPlan,
  place: number,
  field: unknown,
  missing: MissingPolicy,
  last: ArrayLike<number> | undefined,
): number {
  if (missing === 'nan') {
    return NaN;
  }
  if (missing === 'zero') {
    return 0;
  }
  if (missing === 'last' && last) {
    return last[place];
  }
  const name = featureName(plan, place);
  const found =
    field === undefined || field === null
      ? 'is missing'
      : typeof field === 'number'
        ? `is ${field}`
        : `holds ${Array.isArray(field) ? 'a list' : `a ${typeof field}`}, not a number`;
  const advice =
    missing === 'last'
      ? 'There is no earlier value of this source to take instead.'
      : 'Send it as a number, correct the names in the property "features", or choose another "missing" policy.';
  throw new EdgeError('FEATURE_MISSING', `Feature "${name}" ${found}. ${advice}`, { feature: name });
}

function integer(plan: InputPlan, place: number, value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw unfit(plan, place, value);
  }
  return value;
}

function unfit(plan: InputPlan, place: number, value: number): EdgeError {
  const name = featureName(plan, place);
  return new EdgeError(
    'DTYPE',
    `Feature "${name}" is ${value}, which the model's ${plan.type} input cannot hold. Send a value that fits, or export the model with a float32 input.`,
    { feature: name, type: plan.type },
  );
}

function expectObject(plan: InputPlan, payload: unknown): void {
  if (typeof payload !== 'object' || payload === null || Buffer.isBuffer(payload)) {
    const form = Buffer.isBuffer(payload)
      ? 'a Buffer'
      : payload === undefined || payload === null
        ? 'empty'
        : `a ${typeof payload}`;
    throw new EdgeError(
      'SHAPE',
      `msg.payload is ${form}; the model takes an object of channels, a list of ${plan.width} numbers, or a batch of these. Put a sensor-ingest node in front to decode it.`,
    );
  }
  if (!plan.names) {
    throw new EdgeError(
      'FEATURE_MISSING',
      `msg.payload is an object, and nothing says which channel goes where. Fill in the property "features" with ${plan.width} channels in the order of the training data, or put a model card beside the model.`,
      { property: 'features' },
    );
  }
}

function wrongLength(plan: InputPlan, length: number): EdgeError {
  return new EdgeError(
    'SHAPE',
    `msg.payload holds ${length} number${length === 1 ? '' : 's'}; the model takes ${plan.width}. Send one for each feature, in the order of the training data.`,
    { expected: plan.width, actual: length },
  );
}

function featureName(plan: InputPlan, place: number): string {
  return plan.names?.[place] ?? String(place);
}
