import type { NodeAPI } from 'node-red';
import { EdgeError } from '../errors';
import { listStation } from '../station';

/**
 * As {@link runningNode}, undefined where none runs: for what a dialog asks by itself, also of a node that is not deployed
 * yet, where a failure would stand in the browser's console.
 */
export function findRunning<T extends object>(
  RED: NodeAPI,
  type: string,
  id: string,
  offered: keyof T & string,
): (T & { id: string }) | undefined {
  const offers = (node: unknown): node is T & { id: string } =>
    typeof node === 'object' && node !== null && offered in node;
  const node: unknown = RED.nodes.getNode(id);
  if (offers(node)) {
    return node;
  }
  for (const entry of listStation()) {
    const instance: unknown = entry.type === type ? RED.nodes.getNode(entry.id) : undefined;
    if (offers(instance) && isInstanceOf(instance, id)) {
      return instance;
    }
  }
  return undefined;
}

/**
 * A running node that offers what an endpoint needs; for a node of a subflow, as the editor knows it, one of its
 * instances.
 *
 * @param offered property by which nodes that offer it are known
 * @param wayOut what a person can do where none runs
 * @throws EdgeError `NOT_FOUND`
 */
export function runningNode<T extends object>(
  RED: NodeAPI,
  type: string,
  id: string,
  offered: keyof T & string,
  wayOut = 'Deploy it first, with a configuration that works.',
): T & { id: string } {
  const found = findRunning<T>(RED, type, id, offered);
  if (found) {
    return found;
  }
  throw new EdgeError('NOT_FOUND', `No ${type} node with the id "${id}" runs. ${wayOut}`);
}

function isInstanceOf(node: object, id: string): boolean {
  return '_alias' in node && node._alias === id;
}
