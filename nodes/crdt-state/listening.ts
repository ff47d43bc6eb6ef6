import type { AnyFrame } from './frame';
import type { NamedTimers } from './named-timers';
import { gatewayOfReplica, type Replica } from './replica';

export interface ListeningPorts {
  timers: NamedTimers;
  graceMs: number;
  /** Whether a frame that is sent now has a chance to arrive. */
  connected(): boolean;
  /** Runs an action in a turn of its own. */
  schedule(action: () => void): void;
  /** Asks the others to tell what they know. */
  greet(): void;
  /** What was kept back may be told. */
  ended(): void;
}

/**
 * The time after a restart in which nothing new is told: whoever knows more of this replica than it does itself, because
 * it was put back to an old image, is heard first. Where anybody was ever heard it lasts until a while after somebody has
 * told what it knows: what is told while nobody is there reaches nobody either, and gives dots a second meaning.
 */
export class Listening {
  private listens = false;
  /** Another gateway has told all that it knows. */
  private answered = false;

  constructor(
    private readonly replica: Replica,
    private readonly ports: ListeningPorts,
  ) {}

  get on(): boolean {
    return this.listens;
  }

  /** Begins, or begins anew after a time in which nobody could have been heard. */
  begin(): void {
    this.listens = true;
    this.answered = false;
    this.wait();
  }

  /** Takes note of a frame that somebody else has sent. */
  heard({ kind, sender }: AnyFrame): void {
    // A delta or a short vector does not say all that its sender knows.
    if (this.listens && !this.answered && kind === 'vector' && this.isAnother(sender)) {
      this.answered = true;
      // Until now perhaps nobody could hear the greeting: a double of this replica gets the time to answer as well.
      this.ports.greet();
      this.wait();
    }
  }

  private wait(): void {
    const { ports } = this;
    ports.timers.set('grace', ports.graceMs, () => ports.schedule(() => this.end()));
  }

  private end(): void {
    const { ports } = this;
    if (!ports.connected()) {
      // The next connection begins anew.
      return;
    }
    if (!this.answered && this.knowsOthers()) {
      ports.greet();
      this.wait();
      return;
    }
    this.listens = false;
    ports.ended();
  }

  /** Where nobody was ever heard the frames may go one way only. */
  private knowsOthers(): boolean {
    const { peers, context } = this.replica;
    return peers.size > 0 || [...context.keys()].some((id) => this.isAnother(id));
  }

  private isAnother(id: string): boolean {
    return gatewayOfReplica(id) !== gatewayOfReplica(this.replica.id);
  }
}
