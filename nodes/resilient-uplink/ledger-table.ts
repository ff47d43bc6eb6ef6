import { LossLedger, Tally, type LedgerRange } from './loss-ledger';
import type { Ending, Statements } from './outbox-port';

/** The loss ledger's tables. All writing happens in the transaction that removes the messages. */
export class LedgerTable {
  private loaded: LossLedger | undefined;

  constructor(
    private readonly sql: Statements,
    private readonly limit?: { most: number; keep: number },
  ) {}

  /** The ledger, to be changed within a transaction and then saved. */
  get ledger(): LossLedger {
    this.loaded ??= this.load();
    return this.loaded;
  }

  /** Writes the changes down. */
  save(): void {
    const { removed, put, summary } = this.ledger.takeChanges();
    const erase = this.sql('DELETE FROM ledger WHERE first = ?');
    removed.forEach((first) => erase.run(first));
    const write = this.sql('INSERT OR REPLACE INTO ledger VALUES (?, ?, ?, ?)');
    put.forEach(({ first, last, fate, connection }) => write.run(first, last, fate, connection));
    if (summary) {
      const sum = this.sql('INSERT OR REPLACE INTO ledger_summary VALUES (?, ?, ?)');
      for (const { fate, connection, count } of this.ledger.summary.all()) {
        sum.run(fate, connection, count);
      }
      this.sql('UPDATE store SET summarised_to = ?').run(this.ledger.summarisedTo);
    }
  }

  /** Forgets changes whose transaction failed. */
  forget(): void {
    this.loaded = undefined;
  }

  private load(): LossLedger {
    const ranges = this.sql(
      'SELECT first, last, fate, connection FROM ledger ORDER BY first',
    ).all() as unknown as LedgerRange[];
    const summary = new Tally();
    const sums = this.sql(
      'SELECT fate, connection, messages FROM ledger_summary',
    ).all() as unknown as (Ending & {
      messages: number;
    })[];
    sums.forEach((sum) => summary.add(sum, sum.messages));
    const { summarised_to: upTo } = this.sql('SELECT summarised_to FROM store').get() as {
      summarised_to: number;
    };
    return new LossLedger(ranges, summary, upTo, this.limit);
  }
}
