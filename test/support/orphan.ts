import { join } from 'node:path';
import { OutboxStore } from '../../nodes/resilient-uplink/outbox';
import { OUTBOX_MIGRATIONS } from '../../nodes/resilient-uplink/outbox-schema';
import { systemClock } from '../../nodes/shared/clock';
import { openDatabase } from '../../nodes/shared/store/sqlite';

/** Makes the outbox of a node that is not there any more, with texts that were accepted; gives its identity and file. */
export function makeOrphan(
  dataDir: string,
  node: string,
  texts: readonly string[],
): { store: string; file: string } {
  const file = join(dataDir, 'uplink', node, 'outbox.db');
  const { database } = openDatabase(file, OUTBOX_MIGRATIONS);
  try {
    const store = new OutboxStore(database, systemClock);
    store.append(
      texts.map((text) => ({ priority: 1, topic: 't', kind: 'text', body: Buffer.from(text), ttlMs: 0 })),
    );
    return { store: store.uuid, file };
  } finally {
    database.close();
  }
}
