import type { DatabaseSync } from 'node:sqlite';
import { FATES, PRIORITIES } from './outbox-port';

/** Files up to this size are read whole when they are opened: that takes a second or two on an SD card. */
const READ_WHOLE_BYTES = 32 * 1024 * 1024;

/**
 * Whether an outbox's tables fit together: every sequence that was given is stored or in the ledger. A small file is read
 * whole, so that a damage is found now and not when delivery comes to it.
 */
export function isConsistent(database: DatabaseSync): boolean {
  const number = (sql: string): number => {
    const row = database.prepare(sql).get() as Record<string, number | null> | undefined;
    return Object.values(row ?? {})[0] ?? 0;
  };
  const small = number('PRAGMA page_count') * number('PRAGMA page_size') <= READ_WHOLE_BYTES;
  if (small) {
    const { integrity_check: verdict } = database.prepare('PRAGMA integrity_check(1)').get() as {
      integrity_check: string;
    };
    if (verdict !== 'ok') {
      return false;
    }
  }
  const pending = number('SELECT sum(messages) FROM usage');
  const ended =
    number('SELECT sum(last - first + 1) FROM ledger') + number('SELECT sum(messages) FROM ledger_summary');
  const fates = FATES.map((fate) => `'${fate}'`).join();
  return (
    pending + ended === number("SELECT seq FROM sqlite_sequence WHERE name = 'message'") &&
    number(`SELECT count(*) FROM ledger WHERE fate NOT IN (${fates}) OR last < first`) === 0 &&
    number(`SELECT count(*) FROM usage WHERE priority NOT BETWEEN 0 AND ${PRIORITIES.length - 1}`) === 0 &&
    (!small ||
      (number('SELECT count(*) FROM message') === pending &&
        number('SELECT count(*) FROM dead_letter') === number('SELECT dead_messages FROM store')))
  );
}
