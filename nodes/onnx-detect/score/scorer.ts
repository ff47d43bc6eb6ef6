import { EdgeError } from '../../shared/errors';
import type { ModelCard, Task } from '../model/card';
import type { InputPlan } from '../model/input-plan';
import { classifier } from './classify';
import type { OutputForm } from './output-view';
import { formNamed, type Run, type ScoreOptions, type Scorer, type ScorerParts } from './parts';
import { reconstruction } from './reconstruct';
import { regression } from './regress';

const DEFAULT_CLASSIFY_THRESHOLD = 0.85;

/**
 * Decides how a model's outputs become a score: by the properties, else the card, else the shapes of its trial runs.
 *
 * @param trials at least one
 * @param labels class labels that the file names
 * @throws EdgeError `CONFIG`, `MODEL_INVALID`, `MODEL_UNSUPPORTED`
 */
export function makeScorer(
  trials: readonly Run[],
  forms: readonly OutputForm[],
  plan: InputPlan,
  card: ModelCard | undefined,
  options: ScoreOptions,
  labels?: readonly string[],
): Scorer {
  const named = namedOutput(forms, card, options);
  const perRow = (named ? [named] : forms).filter((known) => known.type !== 'string' && known.perRow);
  if (perRow.length === 0) {
    throw new EdgeError(
      'MODEL_UNSUPPORTED',
      'The model has no output with one row of numbers for each row of input. Export it so that the first dimension of its outputs is the batch.',
    );
  }
  const numeric = perRow.filter(({ size, isSteady }) => size > 0 && isSteady);
  if (numeric.length === 0) {
    const { name } = perRow[0];
    throw new EdgeError(
      'MODEL_UNSUPPORTED',
      `How many numbers the model's output "${name}" holds depends on the values that it is given, or it is empty; it cannot be scored. Choose another "output", or export the model with one of a fixed shape.`,
      { output: name },
    );
  }
  const task = options.task === 'auto' ? (card?.task ?? taskByShape(numeric, forms, plan)) : options.task;
  const form = named ?? pick(task, numeric, plan);
  const threshold = options.threshold ?? card?.threshold ?? defaultThreshold(task);
  const parts: ScorerParts = { form, forms, plan, card, options, threshold, labels };
  switch (task) {
    case 'classify':
      return classifier(parts, trials);
    case 'regress':
      return regression(parts);
    case 'reconstruct':
      return reconstruction(parts);
  }
}

function namedOutput(
  forms: readonly OutputForm[],
  card: ModelCard | undefined,
  options: ScoreOptions,
): OutputForm | undefined {
  if (options.output !== '') {
    return formNamed(forms, options.output, false);
  }
  return card?.scoreOutput === undefined ? undefined : formNamed(forms, card.scoreOutput, true);
}

function taskByShape(numeric: readonly OutputForm[], forms: readonly OutputForm[], plan: InputPlan): Task {
  if (numeric.some(isProbability) || forms.some(({ type }) => type === 'string')) {
    return 'classify';
  }
  const floats = numeric.filter(isFloat);
  const inputSize = plan.width * (plan.window?.size ?? 1);
  if (forms.length === 1 && floats.length === 1 && inputSize > 2 && floats[0].size === inputSize) {
    return 'reconstruct';
  }
  return floats.some(({ size }) => size > 1) ? 'classify' : 'regress';
}

function pick(task: Task, numeric: readonly OutputForm[], plan: InputPlan): OutputForm {
  const floats = numeric.filter(isFloat);
  const found =
    task === 'classify'
      ? (floats.find(isProbability) ?? floats.find(({ size }) => size > 1) ?? floats.at(0))
      : task === 'reconstruct'
        ? floats.find(({ size }) => size === plan.width * (plan.window?.size ?? 1))
        : (floats.find(({ size }) => size === 1) ?? numeric.find(({ size }) => size === 1));
  if (!found) {
    const wanted =
      task === 'classify'
        ? 'probabilities'
        : task === 'reconstruct'
          ? `the ${plan.width} reconstructed features`
          : 'one number a row';
    throw new EdgeError(
      'MODEL_UNSUPPORTED',
      `The model has no output with ${wanted}, which the task "${task}" needs. Choose another task, or export the model with that output.`,
      { property: 'task' },
    );
  }
  return found;
}

function defaultThreshold(task: Task): number {
  if (task === 'classify') {
    return DEFAULT_CLASSIFY_THRESHOLD;
  }
  throw new EdgeError(
    'CONFIG',
    `Property "threshold" is empty, and neither the model card nor the task "${task}" has one. Enter the value from which on a reading is a failure.`,
    { property: 'threshold' },
  );
}

/** By the names that exporters give them. */
function isProbability({ name, type }: OutputForm): boolean {
  return /prob|logit|sigmoid|softmax/i.test(name) && isFloat({ type });
}

function isFloat({ type }: Pick<OutputForm, 'type'>): boolean {
  return type === 'float32' || type === 'float64' || type === 'float16';
}
