import { EdgeError } from '../../shared/errors';
import type { TensorData } from '../runtime/backend';
import { columnsOf, probabilitiesOf, type Columns } from './activation';
import type { OutputForm } from './output-view';
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
 * positive classes, or the largest of them where several may hold at once. Logits become probabilities. The label
 * always agrees with the verdict: at or above the threshold it is the most probable failing class, below it the most
 * probable of the others.
 *
 * @param trials runs on different inputs, to tell probabilities from logits
 * @throws EdgeError `CONFIG` or `MODEL_INVALID` when the classes and `positive` do not fit
 */
export function classifier(parts: ScorerParts, trials: readonly Run[]): Scorer {
  const { form, forms, card, threshold } = parts;
  const columns = columnsOf(
    trials.map(({ outputs }) => outputs[form.name]),
    form,
    card?.activation,
  );
  const scored = form.size === 1 ? undefined : columnClasses(parts, columns);
  const modes = modesForm(forms, card?.modes);
  const named = modes ? modeClasses(parts, modes) : (scored ?? binaryClasses(parts, columns));
  const scoreOf = (outputs: Record<string, TensorData>, row: number): number => {
    const probabilities = probabilitiesOf(outputs[form.name], row, form.size, columns.activation);
    if (!scored) {
      return probabilities[0];
    }
    let sum = 0;
    let largest = -Infinity;
    for (let column = 0; column < probabilities.length; column++) {
      if (scored.failing[column]) {
        sum += probabilities[column];
        largest = Math.max(largest, probabilities[column]);
      }
    }
    return columns.exclusive ? sum : largest;
  };
  const entries = (named?.labels ?? []).map((label): [string, number] => [label, 0]);
  return {
    task: 'classify',
    output: form.name,
    threshold,
    forms: modes ? [form, modes] : [form],
    activation: columns.activation,
    ...(named && {
      classes: named.labels.map((label, at) => ({ label, failing: named.failing[at] })),
    }),
    score({ outputs }, row) {
      const score = scoreOf(outputs, row);
      if (!named) {
        return { score };
      }
      const probabilities = named.probabilities(outputs, row);
      const label = mostProbable(named, probabilities, score >= threshold);
      entries.forEach((entry, at) => (entry[1] = probabilities[at]));
      const byLabel = Object.fromEntries(entries);
      return label === undefined
        ? { score, probabilities: byLabel }
        : { score, label, probabilities: byLabel };
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
function columnClasses(parts: ScorerParts, columns: Columns): Classes {
  const { form, card } = parts;
  if (card?.labels && card.labels.length !== form.size) {
    throw new EdgeError(
      'MODEL_INVALID',
      `The model card's "labels" lists ${card.labels.length}, but output "${form.name}" has ${form.size} columns. Correct the card, or choose another "output".`,
      { property: 'labels' },
    );
  }
  const inFile = parts.labels?.length === form.size ? parts.labels : undefined;
  const labels = card?.labels ?? inFile ?? Array.from({ length: form.size }, (_, at) => String(at));
  return {
    labels,
    failing: failingClasses(parts, labels, columns.exclusive),
    probabilities: rowOf(form, columns),
  };
}

/** The two classes of an output that holds P(positive) only, where the card names them. */
function binaryClasses(parts: ScorerParts, { activation }: Columns): Classes | undefined {
  const { form, card } = parts;
  const labels = card?.labels;
  if (labels?.length !== 2) {
    return undefined;
  }
  const failing = failingClasses(parts, labels, true);
  return {
    labels,
    failing,
    probabilities: (outputs, row) => {
      const [failure] = probabilitiesOf(outputs[form.name], row, 1, activation);
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
  return {
    labels,
    failing: labels.map((label) => label !== none),
    probabilities: rowOf(form, { activation: 'none' }),
  };
}

function rowOf(
  { name, size }: OutputForm,
  { activation }: Pick<Columns, 'activation'>,
): Classes['probabilities'] {
  return (outputs, row) => probabilitiesOf(outputs[name], row, size, activation);
}

/** Which classes are positive: by the property, else the card; of two classes the second, of independent ones all. */
function failingClasses(
  { card, options }: ScorerParts,
  labels: readonly string[],
  exclusive: boolean,
): boolean[] {
  const wanted = options.positive || (card?.positive ?? '');
  if (wanted === '') {
    if (!exclusive) {
      return labels.map(() => true);
    }
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
