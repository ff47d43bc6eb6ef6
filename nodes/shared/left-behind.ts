/** An outbox that no running node owns and that still holds something. */
export interface LeftBehind {
  /** Absolute path of the database. */
  file: string;
  /** Identity of the store, the first part of its messages' ids; empty where the file cannot be read. */
  store: string;
  /** Id of the node that it belonged to. */
  node: string;
  /** Messages that were accepted and are still to be delivered. */
  messages: number;
  /** Bytes of the messages and the dead letters. */
  bytes: number;
  /** Messages that were refused for good. */
  deadLetters: number;
  /** When the oldest message was stored, ms since the epoch; null where there is none. */
  oldestMs: number | null;
  /** Why the file cannot be read. */
  problem?: string;
}

let source: (() => Promise<LeftBehind[]>) | undefined;

/** Says who can tell what was left behind: the uplink, once it is loaded. */
export function provideLeftBehind(list: () => Promise<LeftBehind[]>): void {
  source = list;
}

/** What was left behind in the known data folders; none while no uplink is loaded, or when it cannot be told. */
export async function listLeftBehind(): Promise<LeftBehind[]> {
  try {
    return (await source?.()) ?? [];
  } catch {
    return [];
  }
}
