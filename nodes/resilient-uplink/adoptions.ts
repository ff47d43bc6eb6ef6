import type { Clock } from '../shared/clock';
import { EdgeError } from '../shared/errors';
import type { LeftBehind } from '../shared/left-behind';
import { AdoptedStore, type AdoptedStoreTools } from './adopted-store';
import type { UplinkConfig } from './config';
import type { AdoptableStores } from './left-behind/left-behind-stores';
import type { Session } from './session';
import type { OpenedSession } from './session-keeper';
import type { StoreLoss } from './store-loss';

/** Who an uplink is among the outboxes of its data folders. */
export interface Adopter {
  nodeId: string;
  stores: AdoptableStores;
}

export interface AdoptionTools extends Pick<AdoptedStoreTools, 'publish'> {
  clock: Clock;
  adopter: Adopter;
  /** Opens an outbox and delivers from it; `broken` says when it is of no use any more. */
  open: (path: string, broken: (error: EdgeError) => void) => Promise<OpenedSession>;
  /** Some of what the store with a file held is lost. */
  lost: (loss: StoreLoss, path: string) => void;
  log: { info(text: string): void };
  reportOnce: (about: string, text: string) => void;
}

/** What to adopt: the payload of `msg.operation` = `adopt`. */
export interface AdoptionRequest {
  /** A store's identity or its file. */
  store: string;
  /** Whether what was refused for good is put back and sent once more. */
  deadLetters: boolean;
}

/** How an adopted outbox is kept: what was accepted under another configuration is not dropped for the bounds of this one. */
export function adoptedConfig(config: UplinkConfig): UplinkConfig {
  return { ...config, overflow: 'reject', limitBytes: Infinity };
}

/** The stores that one uplink has taken over from others and delivers from. */
export class Adoptions {
  private readonly adopted = new Map<string, AdoptedStore>();
  private paused = false;
  private closed = false;

  constructor(private readonly tools: AdoptionTools) {}

  /** Goes on with what was adopted before a restart. */
  start(): void {
    const { stores, nodeId } = this.tools.adopter;
    stores.claimedBy(nodeId).then(
      (paths) => paths.forEach((path) => this.add(path, false)),
      (thrown: unknown) => this.tools.reportOnce('adopted', `What was adopted: ${String(thrown)}`),
    );
  }

  /**
   * Takes a store over, durably, and begins to deliver from it.
   *
   * @throws EdgeError `NOT_FOUND`, `OPERATION`, or `STORE` when somebody uses it or the disk refuses; by rejection
   */
  async adopt({ store, deadLetters }: AdoptionRequest): Promise<LeftBehind> {
    const { stores, nodeId } = this.tools.adopter;
    const found = await stores.find(store);
    if (found.messages === 0 && !deadLetters && found.problem === undefined) {
      throw new EdgeError(
        'OPERATION',
        `The store "${store}" holds dead letters only, which a server refused for good. Add "deadLetters": true to send them once more.`,
      );
    }
    const claimed = await stores.claim(store, nodeId);
    this.tools.log.info(
      `Adopted ${claimed.messages} messages and ${claimed.deadLetters} dead letters in ${claimed.file}.`,
    );
    this.add(claimed.file, deadLetters);
    return claimed;
  }

  /** Open ones. */
  sessions(): Session[] {
    return [...this.adopted.values()].flatMap(({ session }) => session ?? []);
  }

  /** Sends nothing from any of them, or goes on. */
  pause(paused: boolean): void {
    this.paused = paused;
    for (const { delivery } of this.sessions()) {
      if (paused) {
        delivery.pause();
      } else {
        delivery.resume();
      }
    }
  }

  /** Goes on with what is the adopter's configuration now. */
  async renew(): Promise<void> {
    await Promise.all([...this.adopted.values()].map((store) => store.renew()));
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.adopted.values()].map((store) => store.close()));
  }

  private add(path: string, requeues: boolean): void {
    if (this.closed || this.adopted.has(path)) {
      return;
    }
    const { clock, adopter, publish, log, reportOnce } = this.tools;
    const store = new AdoptedStore(
      path,
      {
        clock,
        stores: adopter.stores,
        open: (file, broken) => this.open(file, broken),
        publish,
        failed: ({ message }) => {
          if (!this.closed) {
            reportOnce(path, `The adopted outbox ${path}: ${message} It is tried again.`);
          }
        },
        finished: () => {
          this.adopted.delete(path);
          log.info(`Everything in the adopted outbox ${path} came to its end.`);
        },
      },
      requeues,
    );
    this.adopted.set(path, store);
  }

  private async open(path: string, broken: (error: EdgeError) => void): Promise<Session> {
    const { session, loss } = await this.tools.open(path, broken);
    if (loss) {
      this.tools.lost(loss, path);
    }
    if (this.paused) {
      session.delivery.pause();
    }
    return session;
  }
}
