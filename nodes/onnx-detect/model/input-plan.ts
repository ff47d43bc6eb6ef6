import { EdgeError } from '../../shared/errors';
import type { SessionInfo, ValueInfo } from '../runtime/backend';
import type { ModelCard } from './card';

/** Element types that channels can be fed as. */
export const INPUT_TYPES = ['float32', 'float64', 'int64', 'int32', 'bool'] as const;
export type InputType = (typeof INPUT_TYPES)[number];

/** Bounds against a file that claims huge dimensions. */
const MAX_WIDTH = 100_000;
const MAX_FIXED_ROWS = 4096;

/** How readings become the model's input: one tensor of shape [rows, width], or [rows] for a single number. */
export interface InputPlan {
  input: string;
  type: InputType;
  /** Numbers a row. */
  width: number;
  /** Rank of the tensor: 2, or 1 for a model that takes one number a row. */
  rank: 1 | 2;
  /** Rows that the model insists on; undefined = any number. */
  fixedRows: number | undefined;
  /** Channel of each place; undefined = rows can be given by position only. */
  names: readonly string[] | undefined;
  mean: Float64Array;
  scale: Float64Array;
}

/**
 * Reads from the model's declared inputs, the card and the `features` property how to feed it.
 * @throws EdgeError `MODEL_UNSUPPORTED`, `DTYPE`, `MODEL_INVALID`, `CONFIG`
 */
export function planInput(
  info: SessionInfo,
  card: ModelCard | undefined,
  features: readonly string[],
): InputPlan {
  const input = theInput(info);
  const type = INPUT_TYPES.find((known) => known === input.type);
  if (!type) {
    throw new EdgeError(
      'DTYPE',
      `The model's input "${input.name}" takes ${input.type} tensors; channels can be fed as ${INPUT_TYPES.join(', ')}. Export the model with a float32 input.`,
      { input: input.name, type: input.type },
    );
  }
  const [rows, columns] = input.shape;
  const cardNames = card?.features?.map(({ name }) => name);
  const names = features.length > 0 ? features : cardNames;
  const width = input.shape.length === 1 ? 1 : columns;
  if (typeof width !== 'number' && !names) {
    throw new EdgeError(
      'CONFIG',
      `The model does not say how many numbers its input "${input.name}" takes. Fill in the property "features", or a model card with "features".`,
      { property: 'features' },
    );
  }
  if (names && typeof width === 'number' && names.length !== width) {
    throw wrongCount(names.length, width, features.length > 0);
  }
  const count = typeof width === 'number' ? width : (names?.length ?? 1);
  if (count < 1 || count > MAX_WIDTH || (typeof rows === 'number' && (rows < 1 || rows > MAX_FIXED_ROWS))) {
    throw unsupportedShape(input);
  }
  // Scaling belongs to a place of the input, whatever the flow calls the channel there.
  const scaling = card?.features;
  return {
    input: input.name,
    type,
    width: count,
    rank: input.shape.length === 1 ? 1 : 2,
    fixedRows: typeof rows === 'number' ? rows : undefined,
    names: names ?? (count === 1 ? [input.name] : undefined),
    mean: Float64Array.from({ length: count }, (_, at) => scaling?.at(at)?.mean ?? 0),
    scale: Float64Array.from({ length: count }, (_, at) => scaling?.at(at)?.scale ?? 1),
  };
}

function theInput(info: SessionInfo): ValueInfo {
  const sequence = info.inputs.find(({ type }) => type === '');
  if (info.inputs.length !== 1 || sequence) {
    const list = info.inputs.map(({ name }) => name).join(', ');
    throw new EdgeError(
      'MODEL_UNSUPPORTED',
      `The model has ${info.inputs.length} inputs (${list}); models with one tensor input are served. Export it with its inputs joined to one tensor [rows, features].`,
    );
  }
  const [input] = info.inputs;
  const rank = input.shape.length;
  const vector = rank === 1 && typeof input.shape[0] === 'number' && input.shape[0] > 1;
  if ((rank !== 1 && rank !== 2) || vector) {
    throw unsupportedShape(input);
  }
  return input;
}

function unsupportedShape({ name, shape }: ValueInfo): EdgeError {
  return new EdgeError(
    'MODEL_UNSUPPORTED',
    `The model's input "${name}" has shape [${shape.join(', ')}]; [rows, features] is served, with up to ${MAX_WIDTH} features. Export it with a two-dimensional input whose first dimension is dynamic.`,
  );
}

function wrongCount(count: number, width: number, fromProperty: boolean): EdgeError {
  return fromProperty
    ? new EdgeError(
        'CONFIG',
        `Property "features" lists ${count} channels, but the model takes ${width}. Enter one channel for each, in the order of the training data.`,
        { property: 'features' },
      )
    : new EdgeError(
        'MODEL_INVALID',
        `The model card's "features" lists ${count}, but the model takes ${width}. Correct the card.`,
        { property: 'features' },
      );
}
