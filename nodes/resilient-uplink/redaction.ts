import { createHmac } from 'node:crypto';

/** What is kept from disk and wire: paths in a message such as `payload.operator`. */
export interface Redaction {
  drop: readonly string[];
  hash: readonly string[];
  /** Key of the pseudonyms. */
  hashKey: string;
}

/**
 * The message without the dropped values and with pseudonyms (HMAC-SHA-256, hex) for the hashed ones. The message
 * that is given stays as it is; only what lies on a path is copied. A path goes through every element of a list.
 */
export function redact<T extends object>(msg: T, { drop, hash, hashKey }: Redaction): T {
  let result: unknown = msg;
  for (const path of drop) {
    result = change(result, segments(path), () => undefined);
  }
  for (const path of hash) {
    result = change(result, segments(path), (value) => pseudonym(value, hashKey));
  }
  return result as T;
}

/** The same value has the same pseudonym, so that data stays joinable. */
export function pseudonym(value: unknown, key: string): string {
  const text = typeof value === 'string' ? value : ((JSON.stringify(value) as string | undefined) ?? '');
  return createHmac('sha256', key).update(text).digest('hex');
}

function segments(path: string): string[] {
  return path.replace(/^msg\./, '').split('.');
}

function change(node: unknown, path: readonly string[], make: (value: unknown) => unknown): unknown {
  const [key, ...rest] = path;
  if (typeof node !== 'object' || node === null || ArrayBuffer.isView(node)) {
    return node;
  }
  if (Array.isArray(node) && !/^\d+$/.test(key)) {
    return node.map((element: unknown) => change(element, path, make));
  }
  if (!Object.hasOwn(node, key)) {
    return node;
  }
  const copy = (Array.isArray(node) ? [...(node as unknown[])] : { ...node }) as Record<string, unknown>;
  copy[key] = rest.length > 0 ? change(copy[key], rest, make) : make(copy[key]);
  if (copy[key] === undefined && !Array.isArray(copy)) {
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- the path names what to leave out
    delete copy[key];
  }
  return copy;
}
