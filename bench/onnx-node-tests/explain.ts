import type { Report, Result } from './report';

/** Why cases do not pass. */
export interface Reason {
  /** Of the error's code and message, or of the kind of failure and what it says. */
  matches: RegExp;
  title: string;
  why: string;
  /** Whether it is the suite's own limit, so that Python may pass where the suite does not. */
  isOurs: boolean;
}

/** Codes of the contract for a model, or a reading, that is refused. */
const CODES = new Set([
  'MODEL_UNSUPPORTED',
  'DTYPE',
  'MODEL_INVALID',
  'INFERENCE',
  'FEATURE_MISSING',
  'CONFIG',
]);

const ours = (matches: RegExp, title: string, why: string): Reason => ({ matches, title, why, isOurs: true });
const theirs = (matches: RegExp, title: string, why: string): Reason => ({
  ...ours(matches, title, why),
  isOurs: false,
});

export const REASONS: Record<'runtime' | 'node', readonly Reason[]> = {
  runtime: [
    ours(
      /^DTYPE .*input or output of/,
      'element type that onnxruntime-node does not load',
      'bfloat16, float8, float4 and (u)int2 have no array in JavaScript. The error names the type.',
    ),
    ours(
      /^DTYPE .* u?int4 /,
      '(u)int4',
      'onnxruntime-node loads the model and packs two numbers into a byte, but ends the process when an output is of the type. Refused before anything is run.',
    ),
    ours(
      /is a sequence, a map or optional/,
      'sequence or optional',
      'A reading is tensors, and so is what a detection holds.',
    ),
    theirs(
      /an implementation for|find kernel/,
      'no kernel',
      'onnxruntime lacks the operator, or this element type of it, on the CPU.',
    ),
    theirs(/not a registered function/, 'training operator', 'onnxruntime only infers.'),
    theirs(/layout_ == 0/, 'batchwise recurrent', 'onnxruntime knows layout 0 only.'),
    theirs(/locale/, 'locale', 'The operator needs en_US.UTF-8, which is not installed here.'),
    theirs(/^INFERENCE/, 'fails while it runs', "onnxruntime's kernel refuses the shapes."),
    theirs(/^different/, 'other numbers', "onnxruntime's kernel gives others than ONNX expects."),
  ],
  node: [
    ours(
      /different numbers of rows/,
      'inputs of different first dimensions',
      'Weights, axes, shapes or scalars beside the data: parameters, of which a reading has none.',
    ),
    ours(
      /no output with one (row of numbers|number a row)/,
      'no row of numbers for each row',
      'The output is reduced over the rows, transposed, or text.',
    ),
    ours(
      /depends on the values/,
      'size of the output depends on the values',
      'No place of it always holds the score.',
    ),
    ours(/has no input/, 'no input', 'There is nothing to feed.'),
    ours(
      /does not say how many numbers|Expected: 0|input is empty/,
      'empty tensors',
      'A dimension of 0 holds no reading.',
    ),
    ours(
      /named after probabilities/,
      'logarithms named "prob"',
      'Not taken for probabilities; a card with an activation would serve them.',
    ),
    ours(
      /^FEATURE_MISSING/,
      'infinite readings',
      'By the contract they are missing ones; NaN alone goes in with "missing": "nan".',
    ),
    ours(/^DTYPE .*cannot hold/, 'whole numbers beyond 2^53', 'JSON rounds them; refused.'),
  ],
};

/** A failure as text: its code or kind, and what it says. */
export function failureText(result: Result): string {
  switch (result.kind) {
    case 'pass':
      return '';
    case 'error':
    case 'apart':
      return `${result.code} ${result.reason}`;
    case 'different':
    case 'crash':
    case 'late':
      return `${result.kind} ${result.reason}`;
  }
}

/** Undefined = a defect: nothing explains it, Python passes in spite of the explanation, or the error is none of the contract. */
export function reasonOf(report: Report, level: 'runtime' | 'node'): Reason | undefined {
  const result = report[level];
  if (!result || result.kind === 'crash' || result.kind === 'late') {
    return undefined;
  }
  const text = failureText(result);
  const reason = REASONS[level].find(({ matches }) => matches.test(text));
  const isClear = !('code' in result) || result.code === '' || CODES.has(result.code);
  return isClear && (reason?.isOurs || report.python !== 'pass') ? reason : undefined;
}
