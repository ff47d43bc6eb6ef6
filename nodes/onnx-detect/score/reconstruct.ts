import { EdgeError } from '../../shared/errors';
import type { Contribution } from '../../shared/messages';
import { numberAt } from './output-view';
import type { Scorer, ScorerParts } from './parts';

/**
 * Mean squared error between what an autoencoder was given and what it made of it, on the model's own scale (after
 * the card's scaling). Each channel's share is its part of the sum; `expected` is the reconstruction in the
 * channel's unit.
 */
export function reconstruction({ form, plan, threshold }: ScorerParts): Scorer {
  const { width, mean, scale } = plan;
  if (form.size !== width) {
    throw new EdgeError(
      'MODEL_UNSUPPORTED',
      `Output "${form.name}" has ${form.size} values a row and the input ${width}; the task "reconstruct" needs them equal. Choose another "output" or "task".`,
      { property: 'output' },
    );
  }
  return {
    task: 'reconstruct',
    output: form.name,
    threshold,
    score({ outputs, values }, row) {
      const at = row * width;
      const errors = new Float64Array(width);
      let sum = 0;
      for (let place = 0; place < width; place++) {
        const given = (values[at + place] - mean[place]) / scale[place];
        const error = given - numberAt(outputs[form.name], at + place);
        errors[place] = error * error;
        sum += errors[place];
      }
      const score = sum / width;
      if (!(score >= threshold)) {
        return { score };
      }
      const contributions = Array.from(errors, (error, place): Contribution => ({
        channel: plan.names?.[place] ?? String(place),
        value: values[at + place],
        expected: numberAt(outputs[form.name], at + place) * scale[place] + mean[place],
        share: sum > 0 ? error / sum : 1 / width,
      }));
      return { score, contributions: contributions.sort((a, b) => b.share - a.share) };
    },
  };
}
