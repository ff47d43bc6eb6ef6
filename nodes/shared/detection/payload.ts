/** How deep nested objects are read; deeper ones are no telemetry. */
const MAX_DEPTH = 8;

/** A flat array of samples or values: a plain array or a typed array, but no Buffer. */
export function isNumberList(value: unknown): value is ArrayLike<unknown> {
  return (
    Array.isArray(value) ||
    (ArrayBuffer.isView(value) && !(value instanceof DataView) && !Buffer.isBuffer(value))
  );
}

/** Whether a payload is a batch: an array of arrays, of typed arrays or of objects. */
export function isBatch(payload: unknown): payload is unknown[] {
  return (
    Array.isArray(payload) && payload.length > 0 && typeof payload[0] === 'object' && payload[0] !== null
  );
}

/**
 * The channel names of a payload, in its own order: `value` for a number, `0`…`n-1` for a flat array, dotted paths of
 * the numeric fields for an object. A field counts as numeric when it holds a number, finite or not.
 */
export function channelNames(payload: unknown, limit = 1000): string[] {
  if (typeof payload === 'number') {
    return ['value'];
  }
  if (isNumberList(payload)) {
    return Array.from({ length: Math.min(payload.length, limit) }, (_, index) => String(index));
  }
  const names: string[] = [];
  if (typeof payload === 'object' && payload !== null) {
    collect(payload, '', 0, limit, names);
  }
  return names;
}

/**
 * The number a payload holds for a channel; NaN when there is none. A field named with dots is preferred to a nested
 * one of the same path.
 */
export function channelValue(payload: unknown, name: string): number {
  const value = channelField(payload, name);
  return typeof value === 'number' ? value : NaN;
}

/** Like {@link channelValue}, but returns whatever lies there. */
export function channelField(payload: unknown, name: string): unknown {
  if (typeof payload === 'number') {
    return name === 'value' ? payload : undefined;
  }
  if (typeof payload !== 'object' || payload === null) {
    return undefined;
  }
  if (Object.hasOwn(payload, name)) {
    return (payload as Record<string, unknown>)[name];
  }
  return name.includes('.') ? nestedField(payload, name) : undefined;
}

function nestedField(payload: object, name: string): unknown {
  let at: unknown = payload;
  for (const part of name.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) {
      return undefined;
    }
    at = (at as Record<string, unknown>)[part];
  }
  return at;
}

function collect(value: object, prefix: string, depth: number, limit: number, names: string[]): void {
  for (const [key, field] of Object.entries(value)) {
    if (names.length >= limit) {
      return;
    }
    if (typeof field === 'number') {
      names.push(prefix + key);
    } else if (typeof field === 'object' && field !== null && depth < MAX_DEPTH) {
      collect(field as object, `${prefix}${key}.`, depth + 1, limit, names);
    }
  }
}
