import type { InferenceBackend, InferenceSession } from './backend';

interface Entry {
  users: number;
  session: Promise<InferenceSession>;
  lossListeners: Set<() => void>;
}

/** Loads each model once, however many nodes use it, and releases it when the last of them lets go. */
export class SharedSessions {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly backend: InferenceBackend) {}

  /**
   * The session of a model, loaded by the first who asks. Whoever gets it releases it once.
   * @param digest SHA-256 of `bytes`, which are handed over
   */
  async acquire(
    digest: string,
    providers: readonly string[],
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<InferenceSession> {
    const key = [digest, ...providers].join(' ');
    let entry = this.entries.get(key);
    if (!entry) {
      entry = { users: 0, session: this.backend.load(bytes, { providers }), lossListeners: new Set() };
      this.entries.set(key, entry);
    }
    const held = entry;
    const isFirst = held.users === 0;
    held.users++;
    try {
      const session = await held.session;
      if (isFirst) {
        session.onLost(() => {
          this.forget(key, held);
          for (const listener of held.lossListeners) {
            listener();
          }
        });
      }
      return this.handle(key, held, session);
    } catch (thrown) {
      this.forget(key, held);
      throw thrown;
    }
  }

  /** Models that are loaded or loading. */
  get size(): number {
    return this.entries.size;
  }

  private handle(key: string, entry: Entry, session: InferenceSession): InferenceSession {
    const own: (() => void)[] = [];
    let released = false;
    return {
      info: session.info,
      run: (feeds) => session.run(feeds),
      onLost: (listener) => {
        own.push(listener);
        entry.lossListeners.add(listener);
      },
      release: async () => {
        if (released) {
          return;
        }
        released = true;
        for (const listener of own) {
          entry.lossListeners.delete(listener);
        }
        entry.users--;
        if (entry.users === 0) {
          this.forget(key, entry);
          await session.release();
        }
      },
    };
  }

  private forget(key: string, entry: Entry): void {
    if (this.entries.get(key) === entry) {
      this.entries.delete(key);
    }
  }
}
