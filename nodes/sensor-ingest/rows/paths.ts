import { EdgeError } from '../../shared/errors';
import { excerpt } from '../../shared/text';

/** Longest name of a source and longest id that are kept. */
const MAX_NAME_LENGTH = 1024;

/** A path into a payload, split once. */
export interface Path {
  text: string;
  parts: readonly string[];
}

export function parsePath(text: string): Path {
  return { text, parts: text.split('.') };
}

/**
 * What lies at a path, or undefined. A field whose own name has dots is preferred to a nested one of the same path;
 * only own properties count, so that `toString` is no field of every object.
 */
export function fieldAt(value: unknown, path: Path): unknown {
  if (typeof value !== 'object' || value === null) {
    return undefined;
  }
  if (Object.hasOwn(value, path.text)) {
    return (value as Record<string, unknown>)[path.text];
  }
  if (path.parts.length === 1) {
    return undefined;
  }
  let at: unknown = value;
  for (const part of path.parts) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) {
      return undefined;
    }
    at = (at as Record<string, unknown>)[part];
  }
  return at;
}

/** Sets a field so that every name is data, `__proto__` too. */
export function setField<T>(target: Record<string, T>, name: string, value: T): void {
  if (name === '__proto__') {
    Object.defineProperty(target, name, { value, enumerable: true, writable: true, configurable: true });
  } else {
    target[name] = value;
  }
}

/** Names a value's type for a message to a person. */
export function typeName(value: unknown): string {
  if (value === null) {
    return 'null';
  }
  if (Array.isArray(value)) {
    return 'a list';
  }
  const names: Partial<Record<string, string>> = {
    string: 'a text',
    number: 'a number',
    bigint: 'a BigInt',
    boolean: 'true/false',
    undefined: 'nothing',
    object: 'an object',
  };
  return names[typeof value] ?? `a ${typeof value}`;
}

/** @throws EdgeError `TOO_LARGE` for a name that is too long to be remembered; `what` begins the sentence */
export function withinLength(name: string, what: string): string {
  if (name.length > MAX_NAME_LENGTH) {
    throw new EdgeError(
      'TOO_LARGE',
      `${what}, "${excerpt(name)}", is longer than ${MAX_NAME_LENGTH} characters. Send a shorter one.`,
    );
  }
  return name;
}
