import type { Clock } from '../shared/clock';
import { EdgeError, toEdgeError } from '../shared/errors';
import { MAX_WAITING_BYTES } from './outbox-client';
import type { SalvageProgress } from './salvage/salvage';
import type { Session } from './session';
import type { StoreLoss } from './store-loss';

/** A session, and what of its store is lost. */
export interface OpenedSession {
  session: Session;
  loss?: StoreLoss;
}

export interface SessionKeeperTools {
  clock: Clock;
  /** Opens the outbox; `broken` says that it is of no use any more. Rejects with `STORE`. */
  open(broken: (error: EdgeError) => void): Promise<OpenedSession>;
  opened(opened: OpenedSession): void;
  /** It cannot be opened and is tried again later. */
  failed(error: EdgeError): void;
  /** A store was damaged while it was open. */
  damaged(error: EdgeError): void;
  /** Whether it is open, or why not, is another now. */
  changed(): void;
}

const OPEN_TRIES = 10;
const OPEN_RETRY_MS = 300;
const REOPEN_MS = 2000;

/** Keeps an outbox open whatever happens to it: one that cannot be opened or that breaks is opened again. */
export class SessionKeeper {
  session: Session | undefined;
  /** Why the outbox is not open. */
  error: EdgeError | undefined;
  /** How far a damaged outbox has been read. */
  salvaging: SalvageProgress | undefined;
  private waitingBytes = 0;
  private opening: Promise<Session>;
  private closing = false;

  constructor(private readonly tools: SessionKeeperTools) {
    this.opening = this.begin(Promise.resolve());
  }

  /** The open session; rejects with `STORE` when it cannot be opened for now. */
  async current(): Promise<Session> {
    return this.session ?? (await this.opening);
  }

  /**
   * The session for a message of a size; messages wait for an outbox that is being opened or salvaged, within bounds.
   *
   * @throws EdgeError `OUTBOX_FULL`, or `STORE` when it cannot be opened for now; by rejection
   */
  async waited(bytes: number): Promise<Session> {
    if (this.waitingBytes > 0 && this.waitingBytes + bytes > MAX_WAITING_BYTES) {
      throw new EdgeError(
        'OUTBOX_FULL',
        'The outbox is not open yet and too many messages wait for it. Send the message again later.',
      );
    }
    this.waitingBytes += bytes;
    try {
      return await this.opening;
    } finally {
      this.waitingBytes -= bytes;
    }
  }

  /** Takes note of a salvage; whether it should go on. */
  noteSalvage(progress: SalvageProgress): boolean {
    this.salvaging = progress;
    this.tools.changed();
    return !this.closing;
  }

  /** Closes the session in good order and opens another one, on the same outbox. */
  async renew(): Promise<void> {
    const session = await this.current();
    this.session = undefined;
    this.opening = this.begin(session.close());
    await this.opening;
  }

  /** Closes it for good, and gives what was open. */
  async close(): Promise<Session | undefined> {
    this.closing = true;
    const session = await this.current().catch(() => undefined);
    await session?.close();
    return session;
  }

  private begin(after: Promise<void>): Promise<Session> {
    const opening = after.then(() => this.open());
    // Whoever waits for it is told; nobody has to.
    opening.catch(() => undefined);
    return opening;
  }

  private async open(): Promise<Session> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.openOnce();
      } catch (thrown) {
        const error = toEdgeError(thrown, 'STORE');
        this.error = error;
        this.salvaging = undefined;
        this.tools.changed();
        if (this.closing || attempt >= OPEN_TRIES) {
          this.openLater(error);
          throw error;
        }
        await new Promise<void>((resolve) => {
          this.tools.clock.after(OPEN_RETRY_MS, resolve);
        });
      }
    }
  }

  private async openOnce(): Promise<Session> {
    const own: { session?: Session; error?: EdgeError } = {};
    const opened = await this.tools.open((error) => {
      if (!own.session) {
        own.error = error;
      } else if (own.session === this.session) {
        this.restart(error);
      }
      // Else it is being closed anyway.
    });
    const { session } = opened;
    if (own.error) {
      await session.close(0);
      throw own.error;
    }
    own.session = session;
    this.session = session;
    this.error = undefined;
    this.salvaging = undefined;
    this.tools.opened(opened);
    this.tools.changed();
    return session;
  }

  private openLater(error: EdgeError): void {
    this.tools.failed(error);
    if (!this.closing) {
      this.tools.clock.after(REOPEN_MS, () => {
        if (!this.closing) {
          this.opening = this.begin(Promise.resolve());
        }
      });
    }
  }

  private restart(error: EdgeError): void {
    const broken = this.session;
    this.session = undefined;
    this.error = error;
    if (error.code === 'CORRUPT') {
      this.tools.damaged(error);
    }
    this.opening = this.begin(broken?.close(0) ?? Promise.resolve());
  }
}
