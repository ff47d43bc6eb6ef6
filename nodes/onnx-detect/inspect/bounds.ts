import { excerpt } from '../../shared/text';
import type { Inspection, ModelDescription, Part } from './result';

/** Of an answer, as JSON. */
export const MAX_ANSWER_BYTES = 200_000;

const MAX_NAME = 200;

/** A name as a dialog can hold it; names in a model file are a stranger's. */
export function shownName(name: string): string {
  return excerpt(name, MAX_NAME);
}

/** The first so many of a list, each as it is shown. */
export function partOf<T, U>(list: readonly T[], most: number, shown: (entry: T, at: number) => U): Part<U> {
  return { shown: list.slice(0, most).map(shown), count: list.length };
}

/** What may be left out, the least important first. */
const DISPENSABLE: readonly (keyof ModelDescription)[] = [
  'card',
  'file',
  'sample',
  'known',
  'feed',
  'outputs',
  'inputs',
  'scoring',
];

/** The answer without what makes it too large. */
export function fitted(answer: Inspection): Inspection {
  let rest = answer;
  for (const part of DISPENSABLE) {
    if (Buffer.byteLength(JSON.stringify(rest)) <= MAX_ANSWER_BYTES) {
      break;
    }
    if (rest.model?.[part] !== undefined) {
      rest = { ...rest, model: { ...rest.model, [part]: undefined, shortened: true } };
    }
  }
  return rest;
}
