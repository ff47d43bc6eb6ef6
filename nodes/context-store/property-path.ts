import type { Json } from '../crdt-state/json';

export type Path = (string | number)[];

/** What Node-RED calls a property expression that cannot be read. */
class InvalidExpression extends Error {
  readonly code = 'INVALID_EXPR';
}

const NAME = /[^.[\]"'\s]+/y;
const INDEX = /\[(\d{1,9})\]/y;
const QUOTED = /\[(?:"([^"]+)"|'([^']+)')\]/y;

/**
 * Reads a property expression as Node-RED's other context stores do: `line.speed`, `line.shifts[0]`, `line["max rpm"]`.
 *
 * @throws Error with the code `INVALID_EXPR`
 */
export function parsePath(expression: string): Path {
  const path: Path = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(expression);
    at = match ? pattern.lastIndex : at;
    return match;
  };
  while (at < expression.length) {
    const index = take(INDEX);
    const quoted = index ? null : take(QUOTED);
    if (index) {
      path.push(Number(index[1]));
    } else if (quoted) {
      path.push(quoted[1] || quoted[2]);
    } else {
      const dotted = path.length > 0;
      at += dotted && expression[at] === '.' ? 1 : 0;
      const name = !dotted || expression[at - 1] === '.' ? take(NAME) : null;
      if (!name) {
        throw invalid(expression, at);
      }
      path.push(name[0]);
    }
  }
  if (path.length === 0 || path.slice(1).includes('__proto__')) {
    throw invalid(expression, 0);
  }
  return path;
}

/** The value at a path; undefined where there is none. */
export function valueAt(value: Json | undefined, path: Path): Json | undefined {
  return path.reduce<Json | undefined>(
    (inner, name) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, name)
        ? (inner as Record<string | number, Json>)[name]
        : undefined,
    value,
  );
}

/**
 * The value with another one at a path, or without it when that is undefined. What is missing on the way is made:
 * arrays for numbers, objects for names. The value given is changed.
 *
 * @throws Error with the code `INVALID_EXPR` when something on the way is no object
 */
export function withValueAt(value: Json | undefined, path: Path, inner: unknown): unknown {
  if (path.length === 0) {
    return inner;
  }
  const [name, ...rest] = path;
  const holder = value ?? (typeof name === 'number' ? [] : {});
  if (typeof holder !== 'object') {
    throw new InvalidExpression(
      `Cannot set property "${name}" of ${JSON.stringify(holder)}, which is no object.`,
    );
  }
  const known = valueAt(holder, [name]);
  if (inner === undefined && known === undefined) {
    return value;
  }
  const changed = withValueAt(known, rest, inner);
  if (changed !== undefined) {
    (holder as Record<string | number, unknown>)[name] = changed;
  } else if (Array.isArray(holder)) {
    holder.splice(Number(name), 1);
  } else {
    Reflect.deleteProperty(holder, name);
  }
  return holder;
}

function invalid(expression: string, at: number): InvalidExpression {
  return new InvalidExpression(`Invalid property expression "${expression}": unexpected at position ${at}.`);
}
