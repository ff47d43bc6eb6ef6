/** What nodes leave for the instances that replace them in a deployment, by type and id. */
const left = new Map<string, unknown>();

/** Keeps what an instance remembers until its successor takes it over. */
export function leaveBehind(type: string, id: string, memory: unknown): void {
  left.set(`${type} ${id}`, memory);
}

/** What the instance before this one left; undefined for the first one. */
export function takeOver(type: string, id: string): unknown {
  const key = `${type} ${id}`;
  const memory = left.get(key);
  left.delete(key);
  return memory;
}
