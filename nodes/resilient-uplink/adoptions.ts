import type { Clock } from '../shared/clock';
import { EdgeError } from '../shared/errors';
import type { LeftBehind } from '../shared/left-behind';
import { AdoptedStore, type AdoptedStoreTools } from './adopted-store';
import type { AdoptableStores } from './left-behind/left-behind-stores';
import type { Session } from './session';

export interface AdoptionTools extends Pick<AdoptedStoreTools, 'open' | 'publish'> {
  clock: Clock;
  /** Who adopts. */
  nodeId: string;
  stores: AdoptableStores;
  failed: (path: string, error: EdgeError) => void;
  /** A store is empty. */
  finished: (path: string) => void;
}

/** What to adopt: the payload of `msg.operation` = `adopt`. */
export interface AdoptionRequest {
  /** A store's identity or its file. */
  store: string;
  /** Whether what was refused for good is put back and sent once more. */
  deadLetters: boolean;
}

/** The stores that one uplink has taken over from others and delivers from. */
export class Adoptions {
  private readonly adopted = new Map<string, AdoptedStore>();
  private closed = false;

  constructor(private readonly tools: AdoptionTools) {}

  /** Goes on with what was adopted before a restart. */
  async start(): Promise<void> {
    const paths = await this.tools.stores.claimedBy(this.tools.nodeId);
    paths.forEach((path) => this.add(path, false));
  }

  /**
   * Takes a store over, durably, and begins to deliver from it.
   *
   * @throws EdgeError `NOT_FOUND`, `OPERATION`, or `STORE` when somebody uses it or the disk refuses; by rejection
   */
  async adopt({ store, deadLetters }: AdoptionRequest): Promise<LeftBehind> {
    const { stores, nodeId } = this.tools;
    const { messages, problem } = await stores.find(store);
    if (messages === 0 && !deadLetters && problem === undefined) {
      throw new EdgeError(
        'OPERATION',
        `The store "${store}" holds dead letters only, which a server refused for good. Add "deadLetters": true to send them once more.`,
      );
    }
    const claimed = await stores.claim(store, nodeId);
    this.add(claimed.file, deadLetters);
    return claimed;
  }

  /** Open ones. */
  sessions(): Session[] {
    return [...this.adopted.values()].flatMap(({ session }) => session ?? []);
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.adopted.values()].map((store) => store.close()));
  }

  private add(path: string, requeues: boolean): void {
    if (this.closed || this.adopted.has(path)) {
      return;
    }
    const { clock, stores, open, publish, failed, finished } = this.tools;
    const store = new AdoptedStore(
      path,
      {
        clock,
        stores,
        open,
        publish,
        failed: (error) => failed(path, error),
        finished: () => {
          this.adopted.delete(path);
          finished(path);
        },
      },
      requeues,
    );
    this.adopted.set(path, store);
  }
}
