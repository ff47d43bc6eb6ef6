import { answerToDouble, doubleProblem, isGreetingOfCopy, type Arrival } from './double';
import { MAX_SESSION, type AnyFrame } from './frame';
import { gatewayOfReplica, replicaId, type Replica } from './replica';
import type { SyncPorts } from './sync-ports';
import { counterOf } from './version-vector';

/** Whose frame it is, and whether its sender should hear of this replica at once. */
export type Whose = 'own' | 'own, greet' | "another's";

/** Under which id a replica writes: no other replica may give the same dots to other writes. */
export class Identity {
  /** See {@link VectorFrame.session}. */
  readonly session: number;
  private doubleTold = false;

  /** @param changed called after the replica has taken another id */
  constructor(
    private readonly replica: Replica,
    private readonly ports: Pick<SyncPorts, 'random' | 'newIncarnation' | 'problem'>,
    private readonly changed: () => void,
  ) {
    this.session = ports.random.int(MAX_SESSION);
  }

  get gateway(): string {
    return gatewayOfReplica(this.replica.id);
  }

  /** Takes an id that nobody has, and the writes of this session along; see {@link Replica.renew}. */
  renew(): void {
    this.replica.renew(this.fresh());
    this.changed();
  }

  /** Takes an id that nobody has, after a person has declared this replica departed. */
  rejoin(): void {
    this.replica.rejoin(this.fresh());
    this.changed();
  }

  /**
   * Takes another id when a frame shows that the own one has been given to writes that this replica does not have, or
   * lives elsewhere; inside a turn.
   *
   * @param told the highest own counter that any frame of this process has told
   * @param quiet whether this process has told nothing new yet
   */
  defend(frame: AnyFrame, arrival: Arrival, { told, quiet }: { told: number; quiet: boolean }): Whose {
    const { id, base } = this.replica;
    const brought = counterOf(frame.context, id);
    if (brought > Math.max(base, told)) {
      this.renew();
      return "another's";
    }
    if (frame.sender === id) {
      const answer = answerToDouble(frame, arrival, { brought, base, quiet });
      if (answer === 'renew') {
        this.renew();
        this.tellOfDouble();
      }
      return answer === 'greet' ? 'own, greet' : 'own';
    }
    if (isGreetingOfCopy(frame, arrival, id)) {
      this.tellOfDouble();
    }
    return "another's";
  }

  private fresh(): string {
    return replicaId(this.gateway, this.ports.newIncarnation());
  }

  private tellOfDouble(): void {
    if (!this.doubleTold) {
      this.doubleTold = true;
      this.ports.problem(doubleProblem(this.gateway));
    }
  }
}
