import { EdgeError } from '../../shared/errors';
import type { Contribution } from '../../shared/messages';
import type { Activation, CardModes, ModelCard, Task } from '../model/card';
import type { InputPlan } from '../model/input-plan';
import type { RowValues } from '../model/row-values';
import type { TensorData } from '../runtime/backend';
import type { OutputForm } from './output-view';

/** What the node's properties say about scoring; empty texts and undefined leave it to the card. */
export interface ScoreOptions {
  task: Task | 'auto';
  output: string;
  positive: string;
  threshold: number | undefined;
}

/** One run of the model: what it was given and what it answered. */
export interface Run {
  outputs: Record<string, TensorData>;
  /** For each row of the tensors its reading, or those of its window, oldest first. */
  rows: readonly (readonly RowValues[])[];
}

export interface RowScore {
  /** Higher is worse. */
  score: number;
  label?: string;
  probabilities?: Record<string, number>;
  /** Which channels the score came from; only where it reaches the threshold. */
  contributions?: Contribution[];
}

/** A class that a detection can name. */
export interface ScoredClass {
  label: string;
  /** Whether it counts as failure. */
  failing: boolean;
}

/** Turns a model's outputs into scores. */
export interface Scorer {
  task: Task;
  output: string;
  /** On the score's scale: detected when score >= threshold. */
  threshold: number;
  /** The outputs that scores come from. */
  forms: readonly OutputForm[];
  /** Of a classifier whose classes are known. */
  classes?: readonly ScoredClass[];
  /** Of a classifier: what makes probabilities of its outputs. */
  activation?: Activation;
  score(run: Run, row: number): RowScore;
}

/** What a scorer is made from. */
export interface ScorerParts {
  form: OutputForm;
  forms: readonly OutputForm[];
  plan: InputPlan;
  card: ModelCard | undefined;
  options: ScoreOptions;
  threshold: number;
  /** Class labels that the file itself names. */
  labels: readonly string[] | undefined;
}

/** The output that a property or the card names, looked up by name. */
export function formNamed(forms: readonly OutputForm[], name: string, fromCard: boolean): OutputForm {
  const form = forms.find((known) => known.name === name);
  if (!form) {
    throw new EdgeError(
      fromCard ? 'MODEL_INVALID' : 'CONFIG',
      `${fromCard ? "The model card's" : 'Property'} "output${fromCard ? 's' : ''}" names "${name}", which the model does not have. It has ${forms.map((known) => known.name).join(', ')}.`,
      { property: fromCard ? 'outputs' : 'output' },
    );
  }
  return form;
}

/** The modes that the card describes, if the model has that output with one column a label. */
export function modesForm(
  forms: readonly OutputForm[],
  modes: CardModes | undefined,
): OutputForm | undefined {
  if (!modes) {
    return undefined;
  }
  const form = formNamed(forms, modes.output, true);
  if (form.size !== modes.labels.length || !form.perRow || !form.isSteady) {
    throw new EdgeError(
      'MODEL_INVALID',
      `The model card's "outputs.modes.labels" lists ${modes.labels.length} labels, but output "${modes.output}" has ${form.size} columns. Correct the card.`,
      { property: 'outputs.modes.labels' },
    );
  }
  return form;
}
