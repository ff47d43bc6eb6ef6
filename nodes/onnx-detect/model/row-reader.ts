import { channelField, isNumberList } from '../../shared/detection/payload';
import { EdgeError } from '../../shared/errors';
import { excerpt } from '../../shared/text';
import type { InputPlan, InputSlot } from './input-plan';
import type { RowValues } from './row-values';

/** What a missing or non-finite feature becomes. */
export type MissingPolicy = 'reject' | 'nan' | 'zero' | 'last';

/**
 * Reads the values of one row, in the order of the model's features and in the channels' own units.
 *
 * @param last the source's values before this, for the policy `last`
 * @param into takes them
 * @throws EdgeError `SHAPE` for a payload of another form or length, `FEATURE_MISSING`, `DTYPE`
 */
export function readRow(
  plan: InputPlan,
  payload: unknown,
  missing: MissingPolicy,
  last: RowValues | undefined,
  into: RowValues,
): void {
  const list = listOf(plan, payload);
  for (const slot of plan.slots) {
    const own = list ? undefined : wholeInput(plan, slot, payload);
    for (let i = 0; i < slot.count; i++) {
      const place = slot.from + i;
      const field = list ? list[place] : own ? own[i] : channelField(payload, plan.names[place] ?? '');
      if (plan.isText[place]) {
        into.texts[place] = readText(plan, place, field, missing, last);
      } else {
        const value = toNumber(field, slot.type);
        into.numbers[place] = Number.isFinite(value) ? value : substitute(plan, place, field, missing, last);
      }
    }
  }
}

/** A payload that gives its values by position; undefined for an object. */
function listOf(plan: InputPlan, payload: unknown): ArrayLike<unknown> | undefined {
  if (isNumberList(payload)) {
    if (payload.length !== plan.width) {
      throw wrongLength(plan, payload.length);
    }
    return payload;
  }
  if (typeof payload === 'number') {
    if (plan.width !== 1) {
      throw wrongLength(plan, 1);
    }
    return [payload];
  }
  if (typeof payload !== 'object' || payload === null || Buffer.isBuffer(payload)) {
    const form = Buffer.isBuffer(payload)
      ? 'a Buffer'
      : payload === undefined || payload === null
        ? 'empty'
        : `a ${typeof payload}`;
    throw new EdgeError(
      'SHAPE',
      `msg.payload is ${form}; the model takes an object of channels, a list of ${plan.width} numbers, or a batch of these. Put a sensor-ingest node in front to decode it.`,
    );
  }
  return undefined;
}

/** The list that an object holds under an input's own name, where its places have no names of their own. */
function wholeInput(plan: InputPlan, slot: InputSlot, payload: unknown): readonly unknown[] | undefined {
  if (plan.names[slot.from] !== undefined) {
    return undefined;
  }
  const field = channelField(payload, slot.name);
  if (!isNumberList(field)) {
    throw new EdgeError(
      'FEATURE_MISSING',
      `msg.payload is an object, and nothing says which channel goes where. Fill in the property "features" with ${plan.width} channels in the order of the training data, put a model card beside the model, or send the list "${slot.name}" of ${slot.count} numbers.`,
      { property: 'features' },
    );
  }
  const values = Array.from(field).flat(8);
  if (values.length !== slot.count) {
    throw new EdgeError(
      'SHAPE',
      `"${slot.name}" in msg.payload holds ${values.length} values; the model takes ${slot.count}. Send one for each feature, in the order of the training data.`,
      { input: slot.name, expected: slot.count, actual: values.length },
    );
  }
  return values;
}

function toNumber(field: unknown, type: InputSlot['type']): number {
  if (typeof field === 'number') {
    return field;
  }
  if (typeof field === 'bigint' || (typeof field === 'boolean' && type === 'bool')) {
    return Number(field);
  }
  return NaN;
}

function readText(
  plan: InputPlan,
  place: number,
  field: unknown,
  missing: MissingPolicy,
  last: RowValues | undefined,
): string {
  if (typeof field === 'string') {
    return field;
  }
  if (typeof field === 'number' || typeof field === 'boolean' || typeof field === 'bigint') {
    return String(field);
  }
  if (missing === 'nan' || missing === 'zero') {
    return '';
  }
  if (missing === 'last' && last) {
    return last.texts[place];
  }
  throw absent(plan, place, field, missing, 'a text');
}

function substitute(
  plan: InputPlan,
  place: number,
  field: unknown,
  missing: MissingPolicy,
  last: RowValues | undefined,
): number {
  if (missing === 'nan') {
    return NaN;
  }
  if (missing === 'zero') {
    return 0;
  }
  if (missing === 'last' && last) {
    return last.numbers[place];
  }
  throw absent(plan, place, field, missing, 'a number');
}

function absent(
  plan: InputPlan,
  place: number,
  field: unknown,
  missing: MissingPolicy,
  wanted: string,
): EdgeError {
  const name = featureName(plan, place);
  const found =
    field === undefined || field === null
      ? 'is missing'
      : typeof field === 'number'
        ? `is ${field}`
        : `holds ${Array.isArray(field) ? 'a list' : `a ${typeof field}`}, not ${wanted}`;
  const advice =
    missing === 'last'
      ? 'There is no earlier value of this source to take instead.'
      : `Send it as ${wanted}, correct the names in the property "features", or choose another "missing" policy.`;
  return new EdgeError('FEATURE_MISSING', `Feature "${excerpt(name)}" ${found}. ${advice}`, {
    feature: name,
  });
}

function wrongLength(plan: InputPlan, length: number): EdgeError {
  return new EdgeError(
    'SHAPE',
    `msg.payload holds ${length} number${length === 1 ? '' : 's'}; the model takes ${plan.width}. Send one for each feature, in the order of the training data.`,
    { expected: plan.width, actual: length },
  );
}

/** What a place of a row is called in messages. */
export function featureName(plan: InputPlan, place: number): string {
  return plan.names[place] ?? String(place);
}
