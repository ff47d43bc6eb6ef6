import type { NodeAPI } from 'node-red';
import { listStation } from '../station';

/**
 * A running node that offers what an endpoint needs; for a node of a subflow, as the editor knows it, one of its
 * instances. Undefined when none runs.
 *
 * @param offers whether a node is one of those that offer it
 */
export function runningNode<T>(
  RED: NodeAPI,
  type: string,
  id: string,
  offers: (node: unknown) => node is T,
): T | undefined {
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

function isInstanceOf(node: unknown, id: string): boolean {
  return typeof node === 'object' && node !== null && '_alias' in node && node._alias === id;
}
