import { EdgeError } from '../../shared/errors';
import { numberAt } from './output-view';
import type { Scorer, ScorerParts } from './parts';

/**
 * The predicted value is the score where high values are bad. Where low ones are (a remaining useful life; the card's
 * `direction` is `below`) score and threshold are both negated, so that a higher score is worse there too: 20 hours
 * left with a threshold of 30 is a score of -20 against -30. `detection.outputs` holds the value itself.
 */
export function regression({ form, card, threshold }: ScorerParts): Scorer {
  if (form.size !== 1) {
    throw new EdgeError(
      'MODEL_UNSUPPORTED',
      `Output "${form.name}" has ${form.size} values a row; the task "regress" needs one. Choose another "output" or "task".`,
      { property: 'output' },
    );
  }
  const sign = card?.direction === 'below' ? -1 : 1;
  return {
    task: 'regress',
    output: form.name,
    threshold: sign * threshold,
    forms: [form],
    score: ({ outputs }, row) => ({ score: sign * numberAt(outputs[form.name], row) }),
  };
}
