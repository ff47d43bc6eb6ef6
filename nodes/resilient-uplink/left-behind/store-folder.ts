import { basename, dirname, join } from 'node:path';

/** The database of every outbox, in a folder of its own. */
export const OUTBOX_FILE = 'outbox.db';

const ADOPTED = /^(.+?)\.adopted-(\d+)(?:-by-(.+))?$/;

/** What the name of a store's folder says. */
export interface StoreFolder {
  /** Id of the node that it was made for. */
  node: string;
  /** Id of the node that has adopted it. */
  adopter?: string;
}

/** The file of a node's own outbox. */
export function outboxFile(dataDir: string, nodeId: string): string {
  return join(outboxesIn(dataDir), nodeId, OUTBOX_FILE);
}

/** The folder of all outboxes of a data folder. */
export function outboxesIn(dataDir: string): string {
  return join(dataDir, 'uplink');
}

export function parseStoreFolder(name: string): StoreFolder {
  const match = ADOPTED.exec(name);
  if (!match) {
    return { node: name };
  }
  const [, node, , adopter] = match as unknown as [string, string, string, string | undefined];
  return adopter === undefined ? { node } : { node, adopter };
}

/**
 * The names that a store's folder may take when a node adopts it, or, without one, when an adoption is over. The name is
 * the only record of an adoption: one rename makes it, so that a crash finds it made or not made.
 *
 * @param file the database
 */
export function* adoptedNames(file: string, adopter?: string): Generator<string> {
  const folder = dirname(file);
  const { node } = parseStoreFolder(basename(folder));
  for (let n = 1; ; n++) {
    yield join(dirname(folder), `${node}.adopted-${n}${adopter === undefined ? '' : `-by-${adopter}`}`);
  }
}

/** Text that tells how to send what a store holds. */
export function leftBehindText(messages: number, path: string, store: string): string {
  return `${messages} messages that were accepted and not delivered stay in ${path}. To send them, open the dialog of another resilient-uplink and press "Adopt" under "Left behind", or send it msg.operation = "adopt" with the payload "${store}".`;
}
