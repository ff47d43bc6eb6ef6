import type { KnownFeatures, ModelDescription } from './result';

/** What is to be said of the channels that are listed; both sides use it, so it imports types only. */
export type FeatureCheck =
  | { kind: 'fits' }
  /** None is listed, and nothing names them: values go by position only. */
  | { kind: 'unnamed'; width: number }
  | { kind: 'count'; listed: number; width: number; known?: KnownFeatures }
  /** The same channels in another order, which gives wrong scores without any error; or other ones. */
  | { kind: 'order' | 'names'; place: number; listed: string; expected: string; known: KnownFeatures };

/** Compares the property `features` with what the model takes and how its channels are called. */
export function checkFeatures(
  listed: readonly string[],
  { width, known }: Pick<ModelDescription, 'width' | 'known'>,
): FeatureCheck {
  if (width === undefined) {
    return { kind: 'fits' };
  }
  if (listed.length === 0) {
    return known || width === 1 ? { kind: 'fits' } : { kind: 'unnamed', width };
  }
  if (listed.length !== width) {
    return { kind: 'count', listed: listed.length, width, ...(known && { known }) };
  }
  const at = known ? listed.findIndex((name, place) => name !== known.names[place]) : -1;
  if (!known || at < 0) {
    return { kind: 'fits' };
  }
  const isSame = [...listed].sort().join('\n') === [...known.names].sort().join('\n');
  return {
    kind: isSame ? 'order' : 'names',
    place: at + 1,
    listed: listed[at],
    expected: known.names[at],
    known,
  };
}
