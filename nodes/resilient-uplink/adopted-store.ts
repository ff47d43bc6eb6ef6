import type { Clock, Timer } from '../shared/clock';
import { toEdgeError, type EdgeError } from '../shared/errors';
import type { LedgerReport } from './ledger-report';
import type { AdoptableStores } from './left-behind/left-behind-stores';
import { publishLedger } from './ledger-publisher';
import type { Session } from './session';

export interface AdoptedStoreTools {
  clock: Clock;
  stores: Pick<AdoptableStores, 'setAside'>;
  /** Opens an outbox and delivers from it; `broken` says when it is of no use any more. */
  open(path: string, broken: (error: EdgeError) => void): Promise<Session>;
  /** Stores a message that carries the ledger of what was adopted. */
  publish: (report: LedgerReport) => Promise<unknown>;
  failed(error: EdgeError): void;
  /** The store is empty and nobody's any more. */
  finished(): void;
}

const LOOK_MS = 1000;
const REOPEN_MS = 2000;

/**
 * An outbox that another node left, delivered from as it is: its messages keep their ids and its ledger goes on, so that
 * a receiver finds nothing twice and nothing missing. Once it is empty its ledger is sent on and it is set aside. Every
 * step may be cut off and is then made again.
 */
export class AdoptedStore {
  session: Session | undefined;
  private working: Promise<void>;
  private timer: Timer | undefined;
  private closed = false;

  constructor(
    readonly path: string,
    private readonly tools: AdoptedStoreTools,
    /** Whether what was refused for good is put back, once. */
    private requeues = false,
  ) {
    this.working = this.open();
  }

  /** Closes it in good order and opens it again. */
  renew(): Promise<void> {
    this.working = this.working.then(async () => {
      if (!this.closed) {
        this.timer?.cancel();
        const { session } = this;
        this.session = undefined;
        await session?.close();
        await this.open();
      }
    });
    return this.working;
  }

  /** Ends the deliveries; what is left stays adopted. */
  async close(): Promise<void> {
    this.closed = true;
    this.timer?.cancel();
    await this.working;
    await this.session?.close();
    this.session = undefined;
  }

  private async open(): Promise<void> {
    try {
      const session = await this.tools.open(this.path, (error) => this.reopen(error));
      this.session = session;
      if (this.requeues) {
        await session.requeue({});
        this.requeues = false;
      }
      this.later(LOOK_MS, () => this.look());
    } catch (thrown) {
      this.tools.failed(toEdgeError(thrown, 'STORE'));
      await this.session?.close(0);
      this.session = undefined;
      this.later(REOPEN_MS, () => this.open());
    }
  }

  private reopen(error: EdgeError): void {
    this.tools.failed(error);
    this.working = this.working.then(async () => {
      const broken = this.session;
      this.session = undefined;
      this.timer?.cancel();
      await broken?.close(0);
      this.later(REOPEN_MS, () => this.open());
    });
  }

  private async look(): Promise<void> {
    const { session } = this;
    if (!session || session.outbox.usage.messages > 0) {
      this.later(LOOK_MS, () => this.look());
      return;
    }
    try {
      await publishLedger(session.outbox, this.tools.publish);
      this.session = undefined;
      await session.close();
      if (session.outbox.usage.messages > 0) {
        // The outbox's own ledger was due meanwhile.
        await this.open();
        return;
      }
      await this.tools.stores.setAside(this.path);
      this.closed = true;
      this.tools.finished();
    } catch (thrown) {
      this.tools.failed(toEdgeError(thrown, 'STORE'));
      this.later(REOPEN_MS, () => (this.session ? this.look() : this.open()));
    }
  }

  private later(delayMs: number, work: () => Promise<void>): void {
    if (!this.closed) {
      this.timer = this.tools.clock.after(delayMs, () => {
        this.working = work();
      });
    }
  }
}
