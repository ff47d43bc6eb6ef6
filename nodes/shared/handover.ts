/** What nodes leave for the instances that replace them in a deployment, by id. */
const left = new Map<string, { type: string; memory: unknown }>();

/** Keeps what an instance remembers until its successor takes it over. */
export function leaveBehind(type: string, id: string, memory: unknown): void {
  left.set(id, { type, memory });
}

/** What the instance before this one left; undefined for the first one. */
export function takeOver(type: string, id: string): unknown {
  const found = left.get(id);
  left.delete(id);
  return found?.type === type ? found.memory : undefined;
}

/**
 * Forgets what was left for nodes that do not exist after a deployment: Node-RED does not tell the nodes inside a
 * subflow that they are removed.
 */
export function forgetGone(exists: (id: string) => boolean): void {
  for (const id of left.keys()) {
    if (!exists(id)) {
      left.delete(id);
    }
  }
}
