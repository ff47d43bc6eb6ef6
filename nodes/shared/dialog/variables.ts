import type { Node, NodeAPI } from 'node-red';
import { isRecord, type DialogBody } from './request';

/** How Node-RED writes a variable, as a whole value. */
const VARIABLE = /^\$(?:\{\S+\}|\(\S+\))$/;
/** A table, such as that of the channels, is the deepest of the properties. */
const MAX_DEPTH = 3;

/**
 * A dialog's properties with the values that variables have where its node runs; which of the process's own it may see
 * is Node-RED's to say.
 */
export function filledProperties(
  RED: NodeAPI,
  { node, properties }: Pick<DialogBody, 'node' | 'properties'>,
): unknown {
  const running = RED.nodes.getNode(node) as Node | null | undefined;
  return running
    ? fillVariables(properties, (name): unknown => RED.util.getSetting(running, name))
    : properties;
}

/**
 * The properties with the values of `${VARIABLE}`s, as Node-RED fills them in when it starts a node.
 *
 * @param lookUp gives a variable's value, or undefined
 */
export function fillVariables(value: unknown, lookUp: (name: string) => unknown, depth = 0): unknown {
  if (typeof value === 'string') {
    const match = VARIABLE.exec(value);
    return (match && lookUp(match[0].slice(2, -1))) ?? value;
  }
  if (depth >= MAX_DEPTH) {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map((entry) => fillVariables(entry, lookUp, depth + 1));
  }
  return isRecord(value)
    ? Object.fromEntries(
        Object.entries(value).map(([name, entry]) => [name, fillVariables(entry, lookUp, depth + 1)]),
      )
    : value;
}
