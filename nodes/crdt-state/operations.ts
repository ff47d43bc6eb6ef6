import { EdgeError } from '../shared/errors';
import { invalidValue, parseJson, toJsonText, type Json } from './json';
import { MAX_KEYS, MAX_SIBLINGS, isKey, MAX_KEY_BYTES } from './limits';
import type { Replica } from './replica';
import { isReservedKey } from './reserved-keys';
import { NO_SIBLINGS, type Sibling, type Siblings } from './sibling';
import { isLive, readMerged, type Strategy } from './strategies';

/** Operations that write a key. */
export const WRITES = [
  'set',
  'increment',
  'decrement',
  'add',
  'remove',
  'enable',
  'disable',
  'delete',
  'resolve',
] as const;
export type WriteOperation = (typeof WRITES)[number];

/** What a write replaces, and the values that it puts in place (null marks a delete). */
interface Plan {
  replaces: (sibling: Sibling) => boolean;
  texts: (string | null)[];
}

const ONLY: Partial<Record<WriteOperation, Strategy>> = {
  increment: 'counter',
  decrement: 'counter',
  add: 'set',
  remove: 'set',
  enable: 'flag',
  disable: 'flag',
};

const everything = (): boolean => true;

/**
 * Does a write of this replica on one key. What it replaces is what the replica knows: concurrent writes elsewhere
 * stay beside it. Gives back what the key then holds; undefined when there was nothing to do. Changes nothing when it
 * throws.
 *
 * @throws EdgeError `STRATEGY` when the key's strategy has no such operation, `VALUE` for an unfit payload or key.
 */
export function writeKey(
  replica: Replica,
  strategy: Strategy,
  operation: WriteOperation,
  key: string,
  payload: unknown,
): Siblings | undefined {
  const slot = replica.find(key);
  const siblings = slot?.siblings ?? NO_SIBLINGS;
  if (siblings.length === 0 || isReservedKey(key)) {
    assertKey(key);
  }
  if (replica.size >= MAX_KEYS && siblings.length === 0) {
    throw new EdgeError('VALUE', `This space holds its ${MAX_KEYS} keys already. Delete some first.`, {
      property: 'topic',
    });
  }
  const plan = planWrite(replica, strategy, operation, key, siblings, payload);
  if (!plan) {
    return undefined;
  }
  if (
    siblings.length + plan.texts.length > MAX_SIBLINGS &&
    siblings.filter((sibling) => !plan.replaces(sibling)).length + plan.texts.length > MAX_SIBLINGS
  ) {
    throw invalidValue(`"${key}" would hold more than ${MAX_SIBLINGS} elements`);
  }
  replica.write(key, plan.replaces, plan.texts, slot);
  return slot?.siblings ?? replica.siblings(key);
}

/** Throws `VALUE` unless `msg.topic` can name a key. */
export function assertKey(topic: unknown): asserts topic is string {
  if (!isKey(topic) || isReservedKey(topic)) {
    throw new EdgeError(
      'VALUE',
      `msg.topic names the key: set it to a text of 1 to ${MAX_KEY_BYTES} bytes without null characters that does not begin with "$retired/".`,
      { property: 'topic' },
    );
  }
}

function planWrite(
  replica: Replica,
  strategy: Strategy,
  operation: WriteOperation,
  key: string,
  siblings: Siblings,
  payload: unknown,
): Plan | undefined {
  const suited = ONLY[operation];
  if (suited !== undefined && suited !== strategy) {
    throw unsuited(operation, key, strategy, `Give the key the strategy "${suited}"`);
  }
  switch (operation) {
    case 'set':
      return { replaces: everything, texts: assigned(strategy, payload) };
    case 'increment':
      return increase(replica, siblings, amountOf(payload));
    case 'decrement':
      return increase(replica, siblings, -amountOf(payload));
    case 'add':
      return addElements(elementsOf(payload));
    case 'remove':
      return removeElements(siblings, elementsOf(payload));
    case 'enable':
      return { replaces: everything, texts: ['true'] };
    case 'disable':
      return { replaces: everything, texts: ['false'] };
    case 'delete':
      return siblings.some(isLive) ? { replaces: everything, texts: [null] } : undefined;
    case 'resolve':
      return resolve(strategy, key, siblings, payload);
  }
}

/** Throws `VALUE` unless a payload can be set under a key with that strategy. */
export function assertValue(strategy: Strategy, key: string, payload: unknown): void {
  assertKey(key);
  assigned(strategy, payload);
}

function assigned(strategy: Strategy, payload: unknown): string[] {
  const text = toJsonText(payload);
  if (!fits(strategy, payload)) {
    const wanted = strategy === 'flag' ? 'true or false' : strategy === 'set' ? 'an array' : 'a number';
    throw new EdgeError(
      'VALUE',
      `msg.payload must be ${wanted} for a key with the strategy "${strategy}". Convert it first.`,
      { property: 'payload' },
    );
  }
  if (strategy !== 'set') {
    return [text];
  }
  const elements = [...new Set(elementsOf(payload).map(elementText))];
  return elements.length > 0 ? elements : [EMPTY];
}

function fits(strategy: Strategy, payload: unknown): boolean {
  switch (strategy) {
    case 'mean':
    case 'min':
    case 'max':
    case 'counter':
      return typeof payload === 'number';
    case 'flag':
      return typeof payload === 'boolean';
    case 'set':
      return Array.isArray(payload);
    case 'last_write_wins':
    case 'union':
      return true;
  }
}

/**
 * A count is kept as one total per replica, so that an increment is never lost to another's. An increment adds to the
 * own total; a total from before the last start is left alone until peers have been heard, because it may come from
 * a restored disk image and be renamed apart from this one.
 */
function increase(replica: Replica, siblings: readonly Sibling[], amount: number): Plan {
  const own = siblings.filter((sibling) => isLive(sibling) && replica.mayFold(sibling));
  const total = own.reduce((sum, { text }) => sum + Number(text), amount);
  if (!Number.isFinite(total)) {
    throw invalidValue('the count is no number any more');
  }
  return {
    replaces: (sibling) => !isLive(sibling) || own.includes(sibling),
    texts: [JSON.stringify(total)],
  };
}

/** An element of a set: one sibling each, so that removing it replaces only the additions that were seen (add wins). */
function addElements(elements: Json[]): Plan {
  const texts = [...new Set(elements.map(elementText))];
  return { replaces: ({ text }) => text === null || text === EMPTY || texts.includes(text), texts };
}

/** Leaves a mark without an element, which carries the removal to the other replicas. */
function removeElements(siblings: readonly Sibling[], elements: Json[]): Plan | undefined {
  const texts = new Set(elements.map(elementText));
  if (!siblings.some(({ text }) => text !== null && texts.has(text))) {
    return undefined;
  }
  return {
    replaces: ({ text }) => text === null || text === EMPTY || texts.has(text),
    texts: [EMPTY],
  };
}

const EMPTY = '[]';

function elementText(element: Json): string {
  return toJsonText([sortedFields(element)]);
}

/** The same text for objects that differ in the order of their fields only. */
function sortedFields(value: Json): Json {
  if (Array.isArray(value)) {
    return value.map(sortedFields);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, field]) => [name, sortedFields(field)]),
  );
}

function elementsOf(payload: unknown): Json[] {
  const value = parseJson(toJsonText(payload));
  return Array.isArray(value) ? value : [value];
}

function amountOf(payload: unknown): number {
  if (payload === undefined || payload === null || payload === '') {
    return 1;
  }
  if (typeof payload !== 'number' || !Number.isFinite(payload)) {
    throw new EdgeError('VALUE', 'msg.payload must be the number to count by, or be absent for 1.', {
      property: 'payload',
    });
  }
  return payload;
}

function resolve(
  strategy: Strategy,
  key: string,
  siblings: readonly Sibling[],
  payload: unknown,
): Plan | undefined {
  if (strategy === 'counter' || strategy === 'set') {
    throw unsuited('resolve', key, strategy, 'Its concurrent writes never conflict: there is nothing to do');
  }
  if (payload !== undefined) {
    return { replaces: everything, texts: assigned(strategy, payload) };
  }
  // One value has nothing to settle; a deleted key must not come back.
  return siblings.filter(isLive).length > 1
    ? { replaces: everything, texts: [toJsonText(readMerged(strategy, siblings).value)] }
    : undefined;
}

function unsuited(operation: string, key: string, strategy: Strategy, advice: string): EdgeError {
  return new EdgeError(
    'STRATEGY',
    `msg.operation "${operation}" does not suit "${key}", whose strategy is "${strategy}". ${advice}.`,
    { property: 'operation' },
  );
}
