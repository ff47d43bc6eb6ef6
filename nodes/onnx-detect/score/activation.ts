import { EdgeError } from '../../shared/errors';
import type { Activation } from '../model/card';
import type { TensorData } from '../runtime/backend';
import { numberAt, type OutputForm } from './output-view';

/** How the columns of a classifier's output become probabilities. */
export interface Columns {
  activation: Activation;
  /** Whether exactly one class holds at a time; else each column is a yes or no of its own. */
  exclusive: boolean;
}

/** Further from 0 and 1, and from a sum of 1, than rounding goes. */
const TOLERANCE = 1e-3;

/**
 * Tells probabilities from logits by trial runs: only probabilities always lie between 0 and 1, and only those of
 * classes that exclude each other always sum to 1.
 *
 * @param trials outputs of the same form for different inputs
 * @param given what the model card says of it
 * @throws EdgeError `MODEL_UNSUPPORTED` for an output that is named after probabilities and holds none
 */
export function columnsOf(
  trials: readonly TensorData[],
  { name, size }: OutputForm,
  given: Activation | undefined,
): Columns {
  if (given === 'softmax') {
    return { activation: 'softmax', exclusive: true };
  }
  if (given === 'sigmoid') {
    return { activation: 'sigmoid', exclusive: size === 1 };
  }
  let isProbability = true;
  let sumsToOne = true;
  for (const trial of trials) {
    for (let row = 0; row * size < trial.data.length; row++) {
      let sum = 0;
      for (let column = 0; column < size; column++) {
        const value = numberAt(trial, row * size + column);
        isProbability &&= value >= -TOLERANCE && value <= 1 + TOLERANCE;
        sum += value;
      }
      sumsToOne &&= Math.abs(sum - 1) <= TOLERANCE * size;
    }
  }
  if (given === 'none' || isProbability) {
    return { activation: 'none', exclusive: size === 1 || sumsToOne };
  }
  if (/prob/i.test(name)) {
    throw new EdgeError(
      'MODEL_UNSUPPORTED',
      `The model's output "${name}" is named after probabilities, but holds margins or other values below 0 or above 1. Export a classifier that gives probabilities (in scikit-learn, CalibratedClassifierCV around it), or say in the model card what makes probabilities of them: "outputs": {"activation": "sigmoid" or "softmax"}.`,
      { output: name },
    );
  }
  return size === 1 ? { activation: 'sigmoid', exclusive: true } : { activation: 'softmax', exclusive: true };
}

/** The probabilities of one row. */
export function probabilitiesOf(
  tensor: TensorData,
  row: number,
  size: number,
  activation: Activation,
): number[] {
  const values = new Array<number>(size);
  for (let column = 0; column < size; column++) {
    values[column] = numberAt(tensor, row * size + column);
  }
  switch (activation) {
    case 'none':
      return values;
    case 'sigmoid':
      return values.map((value) => 1 / (1 + Math.exp(-value)));
    case 'softmax': {
      const largest = Math.max(...values);
      const powers = values.map((value) => Math.exp(value - largest));
      const sum = powers.reduce((total, power) => total + power, 0);
      return powers.map((power) => power / sum);
    }
  }
}
