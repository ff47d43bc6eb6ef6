import { EdgeError } from '../shared/errors';

// What needs no Node.js, the dialog uses as well.
export * from './json-values';

/** Longest value, in bytes of JSON. */
export const MAX_VALUE_BYTES = 65_536;
const MAX_DEPTH = 64;

/**
 * A value as JSON text, which is also a copy that the flow cannot change any more.
 *
 * @throws EdgeError `VALUE` for what JSON cannot carry, is nested too deeply or is too long.
 */
export function toJsonText(value: unknown): string {
  if ((typeof value === 'number' && Number.isFinite(value)) || typeof value === 'boolean') {
    return JSON.stringify(value);
  }
  let text: string | undefined;
  try {
    text = stringify(value, refuseNonJson);
  } catch (thrown) {
    throw invalidValue(thrown instanceof Error ? thrown.message : String(thrown));
  }
  if (text === undefined || Buffer.isBuffer(value)) {
    throw invalidValue(value === undefined ? 'there is none' : 'it is no JSON value');
  }
  if (!isValueText(text)) {
    throw invalidValue(`it is longer than ${MAX_VALUE_BYTES} bytes or nested deeper than ${MAX_DEPTH}`);
  }
  return text;
}

/** Whether a text is JSON within the bounds of a value. */
export function isValueText(text: string): boolean {
  if (text.length > MAX_VALUE_BYTES || Buffer.byteLength(text) > MAX_VALUE_BYTES) {
    return false;
  }
  try {
    return isShallow(JSON.parse(text), MAX_DEPTH);
  } catch {
    return false;
  }
}

export function invalidValue(problem: string): EdgeError {
  return new EdgeError('VALUE', `msg.payload cannot be kept: ${problem}. Send a JSON value.`, {
    property: 'payload',
  });
}

function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) {
    return true;
  }
  return depth > 0 && Object.values(value).every((field) => isShallow(field, depth - 1));
}

/** As it is: it returns undefined for undefined, functions and symbols. */
const stringify = JSON.stringify as (
  value: unknown,
  replacer: (name: string, value: unknown) => unknown,
) => string | undefined;

function refuseNonJson(_name: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new Error(`${value} is no JSON number`);
  }
  if (typeof value === 'function' || typeof value === 'symbol') {
    throw new Error(`a ${typeof value} is no JSON value`);
  }
  return value;
}
