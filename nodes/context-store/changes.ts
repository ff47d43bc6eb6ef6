import { compareJson, type Json } from '../crdt-state/json';
import type { WriteOperation } from '../crdt-state/operations';
import type { Strategy } from '../crdt-state/strategies';

export interface Change {
  operation: WriteOperation;
  payload?: Json;
}

/**
 * What an assignment means to the other gateways. Flows read a value, change it and set it again; for what counts or
 * collects, the *difference* is therefore what this gateway has done, and what others do at the same time is kept.
 *
 * @param before what the flow sees; undefined when there is nothing
 * @param after undefined to delete; of the type that the strategy wants
 */
export function changesFor(strategy: Strategy, before: Json | undefined, after: Json | undefined): Change[] {
  if (after === undefined) {
    return before === undefined ? [] : [{ operation: 'delete' }];
  }
  if (strategy === 'counter' && typeof after === 'number') {
    const amount = after - (typeof before === 'number' ? before : 0);
    return amount === 0 && before !== undefined ? [] : [{ operation: 'increment', payload: amount }];
  }
  if (strategy === 'set' && Array.isArray(after)) {
    return setChanges(before, after);
  }
  if (strategy === 'flag') {
    return [{ operation: after === true ? 'enable' : 'disable' }];
  }
  return [{ operation: 'set', payload: after }];
}

function setChanges(before: Json | undefined, after: Json[]): Change[] {
  if (!Array.isArray(before)) {
    return [{ operation: 'set', payload: after }];
  }
  const added = without(after, before);
  const removed = without(before, after);
  return [
    ...(added.length > 0 ? [{ operation: 'add' as const, payload: added }] : []),
    ...(removed.length > 0 ? [{ operation: 'remove' as const, payload: removed }] : []),
  ];
}

function without(elements: readonly Json[], others: readonly Json[]): Json[] {
  return elements.filter((element) => !others.some((other) => compareJson(element, other) === 0));
}
