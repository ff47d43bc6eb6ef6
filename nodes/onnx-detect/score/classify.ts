import { EdgeError } from '../../shared/errors';
import type { TensorData } from '../runtime/backend';
import { numberAt, type OutputForm } from './output-view';
import { modesForm, type Run, type Scorer, type ScorerParts } from './parts';

/** The classes that a detection names: columns of one output. */
interface Classes {
  labels: readonly string[];
  /** Whether the class counts as failure. */
  failing: readonly boolean[];
  probabilities(outputs: Record<string, TensorData>, row: number): number[];
}

/**
 * P(failure) as the score: an output with one number a row holds it, one with a column a class gives the sum of the
 * positive classes. The label always agrees with the verdict: at or above the threshold it is the most probable
 * failing class, below it the most probable of the others.
 *
 * @throws EdgeError `CONFIG` or `MODEL_INVALID` when the classes and `positive` do not fit, `MODEL_UNSUPPORTED` for
 *   outputs that are no probabilities
 */
export function classifier(parts: ScorerParts, trial: Run): Scorer {
  const { form, forms, card, threshold } = parts;
  const columns = form.size;
  const scored = columns === 1 ? undefined : columnClasses(parts);
  const modes = modesForm(forms, card?.modes);
  const named = modes ? modeClasses(parts, modes) : (scored ?? binaryClasses(parts));
  const scoreOf = (outputs: Record<string, TensorData>, row: number): number => {
    if (!scored) {
      return numberAt(outputs[form.name], row);
    }
    let score = 0;
    for (let column = 0; column < columns; column++) {
      if (scored.failing[column]) {
        score += numberAt(outputs[form.name], row * columns + column);
      }
    }
    return score;
  };
  expectProbabilities(trial.outputs[form.name], form.name);
  return {
    task: 'classify',
    output: form.name,
    threshold,
    score({ outputs }, row) {
      const score = scoreOf(outputs, row);
      if (!named) {
        return { score };
      }
      const probabilities = named.probabilities(outputs, row);
      const label = mostProbable(named, probabilities, score >= threshold);
      return {
        score,
        ...(label !== undefined && { label }),
        probabilities: Object.fromEntries(named.labels.map((label, at) => [label, probabilities[at]])),
      };
    },
  };
}

/** The label that fits the verdict; none where the model has no class for it. */
function mostProbable(
  { labels, failing }: Classes,
  probabilities: number[],
  failed: boolean,
): string | undefined {
  let best: number | undefined;
  for (let at = 0; at < labels.length; at++) {
    if (failing[at] === failed && (best === undefined || probabilities[at] > probabilities[best])) {
      best = at;
    }
  }
  return best === undefined ? undefined : labels[best];
}

/** Classes of an output [rows, classes]. */
function columnClasses(parts: ScorerParts): Classes {
  const { form, card } = parts;
  if (card?.labels && card.labels.length !== form.size) {
    throw new EdgeError(
      'MODEL_INVALID',
      `The model card's "labels" lists ${card.labels.length}, but output "${form.name}" has ${form.size} columns. Correct the card, or choose another "output".`,
      { property: 'labels' },
    );
  }
  const labels = card?.labels ?? Array.from({ length: form.size }, (_, at) => String(at));
  return { labels, failing: failingClasses(parts, labels), probabilities: rowOf(form) };
}

/** The two classes of an output that holds P(positive) only, where the card names them. */
function binaryClasses(parts: ScorerParts): Classes | undefined {
  const { form, card } = parts;
  const labels = card?.labels;
  if (labels?.length !== 2) {
    return undefined;
  }
  const failing = failingClasses(parts, labels);
  return {
    labels,
    failing,
    probabilities: (outputs, row) => {
      const failure = numberAt(outputs[form.name], row);
      return failing.map((fails) => (fails ? failure : 1 - failure));
    },
  };
}

/** The failure modes of a second output: every one fails but the card's `none`. */
function modeClasses({ card }: ScorerParts, form: OutputForm): Classes {
  const labels = card?.modes?.labels ?? [];
  const none = card?.modes?.none;
  if (none !== undefined && !labels.includes(none)) {
    throw new EdgeError(
      'MODEL_INVALID',
      `The model card's "outputs.modes.none" is "${none}", which is not among "outputs.modes.labels". Correct the card.`,
      { property: 'outputs.modes.none' },
    );
  }
  return { labels, failing: labels.map((label) => label !== none), probabilities: rowOf(form) };
}

function rowOf({ name, size }: OutputForm): Classes['probabilities'] {
  return (outputs, row) => Array.from({ length: size }, (_, at) => numberAt(outputs[name], row * size + at));
}

/** Which classes are positive: by the property, else the card; of two classes the second. */
function failingClasses({ card, options }: ScorerParts, labels: readonly string[]): boolean[] {
  const wanted = options.positive || (card?.positive ?? '');
  if (wanted === '') {
    if (labels.length === 2) {
      return [false, true];
    }
    throw new EdgeError(
      'CONFIG',
      `Property "positive" is empty, and the model has ${labels.length} classes (${labels.join(', ')}). Enter the one that means failure, or several with commas.`,
      { property: 'positive' },
    );
  }
  const names = labels.includes(wanted) ? [wanted] : wanted.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !labels.includes(name));
  if (unknown !== undefined) {
    const fromCard = options.positive === '';
    throw new EdgeError(
      fromCard ? 'MODEL_INVALID' : 'CONFIG',
      `${fromCard ? "The model card's" : 'Property'} "positive" names "${unknown}", which is no class of the model. The classes are ${labels.join(', ')}.`,
      { property: 'positive' },
    );
  }
  return labels.map((label) => names.includes(label));
}

function expectProbabilities({ data }: TensorData, name: string): void {
  const tolerance = 1e-4;
  for (const value of data) {
    if (typeof value === 'number' && (value < -tolerance || value > 1 + tolerance)) {
      throw new EdgeError(
        'MODEL_UNSUPPORTED',
        `Output "${name}" gave ${value} in a trial run: these are no probabilities but logits or values. Export the model with its sigmoid or softmax, choose another "output", or set "task" to regress.`,
        { property: 'output' },
      );
    }
  }
}
