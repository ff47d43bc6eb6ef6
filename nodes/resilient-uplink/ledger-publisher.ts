import type { Clock, Timer } from '../shared/clock';
import { toEdgeError, type EdgeError } from '../shared/errors';
import { envelopeOf, type EnvelopeConfig } from './envelope';
import type { LedgerCounts, LedgerReport, ReportedRange } from './ledger-report';
import type { NewMessage, OutboxRecords } from './outbox-port';

const HOUR_MS = 3_600_000;
/** Some 50 kB at most, which every broker takes. */
const MOST_RANGES = 500;

/** What was published last, before the message that published it. */
interface Publication {
  /** The store's age. */
  age: number;
  to: number;
  counts: LedgerCounts;
  /** The sequence of the message that carried it. */
  own: number;
}

/**
 * Sends the ledger on through the outbox itself, an hour after the last time by the store's age, if anything has
 * happened since that was not the ledger's own message. While that one still waits no other is added: where nobody takes
 * it, or during a long outage, one is enough.
 */
export class LedgerPublisher {
  private timer: Timer | undefined;
  private working: Promise<void> | undefined;
  private stopped = false;

  /** @param send stores the message that carries a report, and gives its sequence */
  constructor(
    private readonly outbox: Pick<OutboxRecords, 'age' | 'ledger' | 'publication' | 'notePublication'>,
    private readonly clock: Clock,
    private readonly send: (report: LedgerReport) => Promise<number>,
    private readonly failed: (error: EdgeError) => void,
  ) {}

  start(): void {
    this.run(async () => {
      const before = parsed(await this.outbox.publication());
      return Math.max(0, (before?.age ?? 0) + HOUR_MS - this.outbox.age());
    });
  }

  /** Begins nothing more. */
  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
  }

  /** Resolves when what was begun has come to its end. */
  async finished(): Promise<void> {
    await this.working;
  }

  /** Works, and comes back after the time that the work gives. */
  private run(work: () => Promise<number>): void {
    this.working = work()
      .catch((thrown: unknown) => {
        if (!this.stopped) {
          this.failed(toEdgeError(thrown, 'STORE'));
        }
        return HOUR_MS;
      })
      .then((delayMs) => {
        if (!this.stopped) {
          this.timer = this.clock.after(delayMs, () => this.run(() => this.publish()));
        }
      });
  }

  private async publish(): Promise<number> {
    const before = parsed(await this.outbox.publication());
    const own = before && (await this.outbox.ledger({ from: before.own, maxRanges: 1 })).ranges.at(0);
    const report = await this.outbox.ledger({ maxRanges: MOST_RANGES });
    if (report.to > 0 && own?.fate !== 'pending' && (!before || !own || isNews(report, before, own))) {
      const sequence = await sendFitting(report, this.outbox, this.send);
      const { to, counts } = report;
      const note: Publication = { age: this.outbox.age(), to, counts, own: sequence };
      await this.outbox.notePublication(JSON.stringify(note));
    }
    return HOUR_MS;
  }
}

/** Sends the whole ledger of an outbox through an outbox; through a small one, with more of the oldest summarised. */
export async function publishLedger<T>(
  outbox: Pick<OutboxRecords, 'ledger'>,
  send: (report: LedgerReport) => Promise<T>,
): Promise<T> {
  return sendFitting(await outbox.ledger({ maxRanges: MOST_RANGES }), outbox, send);
}

async function sendFitting<T>(
  report: LedgerReport,
  outbox: Pick<OutboxRecords, 'ledger'>,
  send: (report: LedgerReport) => Promise<T>,
): Promise<T> {
  for (let most = MOST_RANGES; ; most = Math.floor(most / 2)) {
    try {
      return await send(most < MOST_RANGES ? await outbox.ledger({ maxRanges: most }) : report);
    } catch (thrown) {
      if (most <= 1 || toEdgeError(thrown).code !== 'TOO_LARGE') {
        throw thrown;
      }
    }
  }
}

/** The message that carries a report: as one from the flow with the topic `edge/ledger/<store>` would be sent. */
export function ledgerMessage(report: LedgerReport, config: EnvelopeConfig): NewMessage {
  const msg = { _msgid: '', topic: `edge/ledger/${report.store}`, payload: report };
  return envelopeOf(msg, { ...config, drop: [], hash: [], priority: 'normal', ttlMs: 0 });
}

/** Whether something happened since a publication, apart from what became of its own message. */
function isNews({ to, counts }: LedgerReport, before: Publication, own: ReportedRange): boolean {
  if (to > before.to + 1 || own.fate === 'summarised') {
    return true;
  }
  const now = numbers(counts);
  const key = own.fate === 'delivered' ? connectionKey(own.connection ?? '') : own.fate;
  now.set(key, (now.get(key) ?? 0) - 1);
  const then = numbers(before.counts);
  return [...new Set([...now.keys(), ...then.keys()])].some(
    (name) => (now.get(name) ?? 0) !== (then.get(name) ?? 0),
  );
}

function numbers({ delivered, ...others }: LedgerCounts): Map<string, number> {
  return new Map([
    ...Object.entries(others as Record<string, number>),
    ...Object.entries(delivered).map(([connection, count]): [string, number] => [
      connectionKey(connection),
      count,
    ]),
  ]);
}

function connectionKey(connection: string): string {
  return `delivered ${connection}`;
}

function parsed(note: string | undefined): Publication | undefined {
  return note === undefined ? undefined : (JSON.parse(note) as Publication);
}
