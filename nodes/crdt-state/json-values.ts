export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Reads a text that `isValueText` has accepted. */
export function parseJson(text: string): Json {
  return JSON.parse(text) as Json;
}

/** Orders any two JSON values: null, booleans, numbers, strings, arrays, objects; then by content. */
export function compareJson(a: Json, b: Json): number {
  const rank = typeRank(a) - typeRank(b);
  if (rank !== 0) {
    return rank;
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      const order = compareJson(a[i], b[i]);
      if (order !== 0) {
        return order;
      }
    }
    return a.length - b.length;
  }
  if (typeof a === 'object' && a !== null) {
    return compareJson(fields(a), fields(b));
  }
  return a === b ? 0 : (a as string) < (b as string) ? -1 : 1;
}

function fields(value: Json): Json[] {
  return Object.entries(value as Record<string, Json>)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => [name, field]);
}

function typeRank(value: Json): number {
  if (value === null) {
    return 0;
  }
  return Array.isArray(value) ? 4 : ['boolean', 'number', 'string', '', 'object'].indexOf(typeof value) + 1;
}
