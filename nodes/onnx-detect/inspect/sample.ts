import type { InputPlan } from '../model/input-plan';

/** Longest sample that a dialog is filled with, in characters. */
const MAX_SAMPLE = 20_000;
/** Readings of a list are shown one a line. */
const INDENT = 2;

/**
 * JSON of a reading to try a model on: the card's sample, in the flow's names of the channels, else zeros; undefined
 * where that would be too long.
 */
export function sampleText(sample: unknown, plan: InputPlan | undefined): string | undefined {
  const reading = sample === undefined || sample === null ? plan && zeros(plan) : renamed(sample, plan);
  if (reading === undefined) {
    return undefined;
  }
  const text = readable(reading);
  return text.length > MAX_SAMPLE ? undefined : text;
}

/** By channel where each has a name, else by position. */
function zeros({ names, width, isText }: InputPlan): unknown {
  const values = Array.from({ length: width }, (_, place) => (isText[place] ? '' : 0));
  return names.every((name) => name !== undefined)
    ? Object.fromEntries(names.map((name, place) => [name, values[place]]))
    : values;
}

/** The card's sample has the card's names; the property "features" may give the same places others. */
function renamed(sample: unknown, plan: InputPlan | undefined): unknown {
  if (!plan || typeof sample !== 'object') {
    return sample;
  }
  if (Array.isArray(sample)) {
    return sample.map((entry: unknown) => (entry === null ? entry : renamed(entry, plan)));
  }
  const nameOf = new Map(plan.cardNames.map((name, place) => [name, plan.names[place] ?? name]));
  return Object.fromEntries(
    Object.entries(sample as object).map(([key, value]) => [nameOf.get(key) ?? key, value as unknown]),
  );
}

function readable(reading: unknown): string {
  if (!Array.isArray(reading)) {
    return JSON.stringify(reading, null, INDENT);
  }
  const entries = reading.map((entry: unknown) => JSON.stringify(entry));
  return typeof reading[0] === 'object' ? `[\n  ${entries.join(',\n  ')}\n]` : `[${entries.join(', ')}]`;
}
