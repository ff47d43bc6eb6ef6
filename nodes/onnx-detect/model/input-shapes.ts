import { EdgeError } from '../../shared/errors';
import type { ValueInfo } from '../runtime/backend';
import type { WindowPlan } from './window-plan';

/** Bounds against a file that claims huge dimensions. */
const MAX_WIDTH = 100_000;
const MAX_FIXED_ROWS = 4096;
const MAX_WINDOW_VALUES = 1_000_000;

/** An input's tensor, with every dimension known but the number of rows. */
export interface SlotShape {
  /** Values of one reading. */
  count: number;
  /** Without the dimension that counts rows. */
  shape: readonly number[];
  hasRows: boolean;
}

export interface ResolvedShapes {
  shapes: readonly SlotShape[];
  window: WindowPlan | undefined;
  /** Rows that the model insists on. */
  fixedRows: number | undefined;
}

interface OpenShape {
  info: ValueInfo;
  inner: readonly (number | undefined)[];
  hasRows: boolean;
  fixedRows: number | undefined;
}

/**
 * Fills in what a model leaves open: the first dimension counts rows, unless it is that of a fixed vector; another open
 * one follows from the number of features and from the card's window.
 *
 * @param features how many features are known by name
 * @throws EdgeError `MODEL_UNSUPPORTED`, `CONFIG`, `MODEL_INVALID`
 */
export function resolveShapes(
  inputs: readonly ValueInfo[],
  features: number | undefined,
  cardWindow: WindowPlan | undefined,
): ResolvedShapes {
  if (inputs.length === 0) {
    throw new EdgeError('MODEL_UNSUPPORTED', 'The model has no input. Export it with the features as input.');
  }
  const open = inputs.map(openShape);
  const window = inputs.length === 1 ? windowOf(open[0], features, cardWindow) : undefined;
  if (cardWindow && !window) {
    throw new EdgeError(
      'MODEL_INVALID',
      `The model card has a "window", but the model has ${inputs.length} inputs; windows are served for models with one. Correct the card.`,
      { property: 'window' },
    );
  }
  const shapes = window
    ? [windowShape(open[0], window, features)]
    : withoutWindow(open, features ?? 0, features !== undefined);
  const width = shapes.reduce((sum, { count }) => sum + count, 0);
  const size = shapes.reduce((sum, { shape }) => sum + product(shape), 0);
  if (width > MAX_WIDTH || size > MAX_WINDOW_VALUES) {
    throw new EdgeError(
      'MODEL_UNSUPPORTED',
      `The model takes ${size} numbers a row; at most ${MAX_WIDTH} features and ${MAX_WINDOW_VALUES} numbers are served.`,
    );
  }
  return { shapes, window, fixedRows: fixedRowsOf(open) };
}

function openShape(info: ValueInfo): OpenShape {
  const dims = info.shape.map((dim) => (typeof dim === 'number' && dim >= 1 ? dim : undefined));
  if (dims.length === 0) {
    return { info, inner: [], hasRows: false, fixedRows: 1 };
  }
  const [rows, ...inner] = dims;
  if (rows !== undefined && rows > 1 && inner.length === 0) {
    return { info, inner: [rows], hasRows: false, fixedRows: 1 };
  }
  if (rows !== undefined && rows > MAX_FIXED_ROWS) {
    throw unsupported(info, `it insists on ${rows} rows, more than ${MAX_FIXED_ROWS}`);
  }
  return { info, inner, hasRows: true, fixedRows: rows };
}

function fixedRowsOf(open: readonly OpenShape[]): number | undefined {
  const fixed = [...new Set(open.flatMap(({ fixedRows }) => (fixedRows === undefined ? [] : [fixedRows])))];
  if (fixed.length > 1) {
    throw new EdgeError(
      'MODEL_UNSUPPORTED',
      `The model's inputs insist on different numbers of rows (${fixed.join(', ')}). Export it with a dynamic first dimension.`,
    );
  }
  return fixed.at(0);
}

/** By the card; else a three-dimensional input, one of whose inner dimensions is the number of features. */
function windowOf(
  { info, inner }: OpenShape,
  features: number | undefined,
  card: WindowPlan | undefined,
): WindowPlan | undefined {
  if (inner.length !== 2) {
    if (card) {
      throw new EdgeError(
        'MODEL_INVALID',
        `The model card has a "window", but input "${info.name}" has shape [${info.shape.join(', ')}], not three dimensions. Correct the card.`,
        { property: 'window' },
      );
    }
    return undefined;
  }
  if (card) {
    return card;
  }
  const [first, second] = inner;
  if (features === undefined) {
    return undefined;
  }
  if (second === features && first !== undefined) {
    return { size: first, layout: 'NTF' };
  }
  return first === features && second !== undefined ? { size: second, layout: 'NFT' } : undefined;
}

function windowShape(
  { info, inner, hasRows }: OpenShape,
  { size, layout }: WindowPlan,
  features: number | undefined,
): SlotShape {
  const [times, channels] = layout === 'NTF' ? inner : [inner[1], inner[0]];
  if (times !== undefined && times !== size) {
    throw new EdgeError(
      'MODEL_INVALID',
      `The model card's "window" is of ${size} readings, layout ${layout}, but input "${info.name}" has shape [${info.shape.join(', ')}]. Correct the card.`,
      { property: 'window' },
    );
  }
  const count = channels ?? features;
  if (count === undefined) {
    throw openFeatures(info);
  }
  return { count, shape: layout === 'NTF' ? [size, count] : [count, size], hasRows };
}

function withoutWindow(open: readonly OpenShape[], features: number, known: boolean): SlotShape[] {
  const missing = open.filter(({ inner }) => inner.includes(undefined));
  const rest = open.reduce((sum, { inner }) => sum + (inner.includes(undefined) ? 0 : product(inner)), 0);
  return open.map(({ info, inner, hasRows }) => {
    const unknown = inner.filter((dim) => dim === undefined).length;
    if (unknown === 0) {
      const shape = inner.map((dim) => dim ?? 1);
      return { count: product(shape), shape, hasRows };
    }
    if (!known) {
      throw openFeatures(info);
    }
    const others = inner.reduce<number>((size, dim) => size * (dim ?? 1), 1);
    const size = (features - rest) / others;
    if (missing.length > 1 || unknown > 1 || !Number.isInteger(size) || size < 1) {
      throw unsupported(info, 'the number of features does not settle its open dimensions');
    }
    const shape = inner.map((dim) => dim ?? size);
    return { count: product(shape), shape, hasRows };
  });
}

function openFeatures({ name }: ValueInfo): EdgeError {
  return new EdgeError(
    'CONFIG',
    `The model does not say how many numbers its input "${name}" takes. Fill in the property "features", or a model card with "features".`,
    { property: 'features' },
  );
}

function unsupported({ name, shape }: ValueInfo, why: string): EdgeError {
  return new EdgeError(
    'MODEL_UNSUPPORTED',
    `The model's input "${name}" has shape [${shape.join(', ')}], which cannot be fed: ${why}. Export it with only its first dimension dynamic.`,
    { input: name },
  );
}

function product(dims: readonly (number | undefined)[]): number {
  return dims.reduce<number>((size, dim) => size * (dim ?? 1), 1);
}
