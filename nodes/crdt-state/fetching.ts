import type { ReplyFrame, RequestFrame } from './frame';
import type { NamedTimers } from './named-timers';
import type { Peer } from './peers';
import type { CatchUp, Replica } from './replica';
import type { SyncTimes } from './sync-ports';
import { IncomingTransfer } from './transfers';
import { counterOf, covers, type ReadonlyVector } from './version-vector';

const MAX_ATTEMPTS = 5;

export interface FetchingPorts {
  timers: NamedTimers;
  times: SyncTimes;
  /** A peer that knows something that the replica does not. */
  ahead(): Peer | undefined;
  ask(request: Pick<RequestFrame, 'target' | 'transfer' | 'chunks'>): void;
  /** Runs an action in a turn of its own. */
  schedule(action: () => void): void;
}

/** Gets what the replica lacks from one peer at a time. */
export class Fetching {
  private incoming: IncomingTransfer | undefined;

  constructor(
    private readonly replica: Replica,
    private readonly ports: FetchingPorts,
  ) {}

  /** What a peer knows is probably on its way: only what is still missing after a while is asked for. */
  waitFor(vector: ReadonlyVector): void {
    const { timers, times } = this.ports;
    if (this.incoming || timers.has('lack') || this.holds(vector)) {
      return;
    }
    const missing = new Map(
      [...vector].filter(([id, counter]) => counterOf(this.replica.context, id) < counter),
    );
    timers.set('lack', times.holdMs, () => this.ports.schedule(() => this.fetch(missing)));
  }

  /** Takes a chunk; with the last one gives back all that was fetched. */
  take(frame: ReplyFrame): CatchUp | undefined {
    if (frame.target !== this.replica.id || this.incoming?.peer !== frame.sender) {
      return undefined;
    }
    const progress = this.incoming.take(frame);
    if (progress === 'next') {
      this.request();
    }
    if (progress !== 'complete') {
      return undefined;
    }
    const state = this.incoming.state();
    this.abandon();
    return state;
  }

  abandon(): void {
    this.incoming = undefined;
    this.ports.timers.cancel('request');
  }

  private holds(vector: ReadonlyVector): boolean {
    return covers(this.replica.context, vector);
  }

  private fetch(missing: ReadonlyVector): void {
    const peer = this.incoming ? undefined : this.ports.ahead();
    if (peer && this.holds(missing)) {
      this.waitFor(peer.vector);
    } else if (peer) {
      this.incoming = new IncomingTransfer(peer.replica, missing);
      this.request();
    }
  }

  private request(): void {
    const { incoming } = this;
    if (!incoming) {
      return;
    }
    const { ports } = this;
    const { timers, times } = ports;
    if (incoming.attempts >= MAX_ATTEMPTS) {
      this.abandon();
      timers.set('lack', times.requestMs, () => ports.schedule(() => this.fetch(incoming.missing)));
      return;
    }
    ports.ask(incoming.request());
    const patience = times.requestMs * 2 ** Math.min(incoming.attempts, 2);
    timers.set('request', patience, () => ports.schedule(() => this.request()));
    incoming.attempts++;
  }
}
