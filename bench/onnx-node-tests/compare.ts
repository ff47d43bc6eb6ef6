import type { TensorData } from '../../nodes/onnx-detect/runtime/backend';
import type { Plain } from '../../nodes/onnx-detect/score/output-view';

/** As onnx.backend.test compares floats. */
const RELATIVE = 1e-3;
const ABSOLUTE = 1e-7;

type Value = TensorData['data'][number];

/** How an output differs from what is expected; undefined when it does not. Whole numbers and texts have to be equal. */
export function tensorDifference(expected: TensorData, got: TensorData | undefined): string | undefined {
  if (!got) {
    return 'output is missing';
  }
  if (got.type !== expected.type) {
    return `type ${got.type} for ${expected.type}`;
  }
  if (String(got.dims) !== String(expected.dims) || got.data.length !== expected.data.length) {
    return `shape [${got.dims.join(', ')}] for [${expected.dims.join(', ')}]`;
  }
  const wrong = Array.from(expected.data as ArrayLike<Value>, (_, at) => at).filter(
    (at) => !same(expected.type, expected.data[at], got.data[at]),
  );
  return wrong.length === 0
    ? undefined
    : `${wrong.length} of ${expected.data.length} values differ: ${got.data[wrong[0]]} for ${expected.data[wrong[0]]}`;
}

/**
 * How a detection's plain values differ from one row of a tensor, or from all of it.
 *
 * @param row undefined = all
 */
export function plainDifference(
  expected: TensorData,
  row: number | undefined,
  got: Plain,
): string | undefined {
  const dims = row === undefined ? expected.dims : expected.dims.slice(1);
  const size = dims.reduce((product, dim) => product * dim, 1);
  return nestedDifference(expected, dims, (row ?? 0) * size, got);
}

function nestedDifference(
  expected: TensorData,
  dims: readonly number[],
  from: number,
  got: Plain,
): string | undefined {
  if (dims.length === 0) {
    const wanted = expected.data[from];
    const isPlain = expected.type === 'bool' ? typeof got === 'boolean' : typeof got !== 'boolean';
    return isPlain && !Array.isArray(got) && same(expected.type, wanted, Number.isNaN(got) ? NaN : got)
      ? undefined
      : `${JSON.stringify(got)} for ${wanted}`;
  }
  const [length, ...inner] = dims;
  if (!Array.isArray(got) || got.length !== length) {
    return `a list of ${Array.isArray(got) ? got.length : 'nothing'} for ${length}`;
  }
  const step = inner.reduce((product, dim) => product * dim, 1);
  for (let at = 0; at < length; at++) {
    const difference = nestedDifference(expected, inner, from + at * step, got[at]);
    if (difference !== undefined) {
      return difference;
    }
  }
  return undefined;
}

function same(type: string, wanted: Value, got: Value | boolean): boolean {
  switch (type) {
    case 'string':
      return got === wanted;
    case 'float32':
    case 'float64':
    case 'float16':
      return (
        Object.is(got, wanted) ||
        got === wanted ||
        (Number.isFinite(wanted) &&
          Math.abs(Number(got) - Number(wanted)) <= ABSOLUTE + RELATIVE * Math.abs(Number(wanted)))
      );
    default:
      // Without loss also beyond what a number holds exactly.
      return BigInt(got) === BigInt(wanted);
  }
}
