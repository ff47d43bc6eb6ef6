import type { InputPlan } from '../model/input-plan';

/** Longest sample that a dialog is filled with, in characters. */
const MAX_SAMPLE = 20_000;
/** Readings of a list are shown one a line. */
const INDENT = 2;

/** JSON of a reading to try a model on: the card's sample, else zeros; undefined where that would be too long. */
export function sampleText(sample: unknown, plan: InputPlan | undefined): string | undefined {
  const reading = sample ?? (plan && zeros(plan));
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

function readable(reading: unknown): string {
  if (!Array.isArray(reading)) {
    return JSON.stringify(reading, null, INDENT);
  }
  const entries = reading.map((entry: unknown) => JSON.stringify(entry));
  return typeof reading[0] === 'object' ? `[\n  ${entries.join(',\n  ')}\n]` : `[${entries.join(', ')}]`;
}
