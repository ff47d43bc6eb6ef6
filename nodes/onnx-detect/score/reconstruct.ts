import { EdgeError } from '../../shared/errors';
import type { Contribution } from '../../shared/messages';
import { featureName } from '../model/row-reader';
import { numberAt } from './output-view';
import type { Scorer, ScorerParts } from './parts';

/**
 * Mean squared error between what an autoencoder was given and what it made of it, on the model's own scale (after
 * the card's scaling). Each channel's share is its part of the sum, over all readings of a window; `value` and
 * `expected` are those of the newest reading, in the channel's unit.
 */
export function reconstruction({ form, plan, threshold }: ScorerParts): Scorer {
  const { width, mean, scale, window, slots } = plan;
  const times = window?.size ?? 1;
  if (form.size !== width * times || slots.length !== 1) {
    throw new EdgeError(
      'MODEL_UNSUPPORTED',
      `Output "${form.name}" has ${form.size} values a row and the input ${width * times}; the task "reconstruct" needs one input and these equal. Choose another "output" or "task".`,
      { property: 'output' },
    );
  }
  const placeOf = (time: number, place: number): number =>
    window?.layout === 'NFT' ? place * times + time : time * width + place;
  return {
    task: 'reconstruct',
    output: form.name,
    threshold,
    forms: [form],
    score({ outputs, rows }, row) {
      const readings = rows[row];
      const newest = readings[readings.length - 1].numbers;
      const made = (time: number, place: number): number =>
        numberAt(outputs[form.name], row * form.size + placeOf(time, place));
      const errors = new Float64Array(width);
      let sum = 0;
      readings.forEach(({ numbers }, time) => {
        for (let place = 0; place < width; place++) {
          const error = (numbers[place] - mean[place]) / scale[place] - made(time, place);
          errors[place] += error * error;
          sum += error * error;
        }
      });
      const score = sum / form.size;
      if (!(score >= threshold)) {
        return { score };
      }
      const contributions = Array.from(errors, (error, place): Contribution => ({
        channel: featureName(plan, place),
        value: newest[place],
        expected: made(times - 1, place) * scale[place] + mean[place],
        share: sum > 0 ? error / sum : 1 / width,
      }));
      return { score, contributions: contributions.sort((a, b) => b.share - a.share) };
    },
  };
}
