import type { Arrival } from './double';
import type { AnyFrame, DeltaFrame, Frame, ReplyFrame, RequestFrame, VectorFrame } from './frame';
import { Fetching } from './fetching';
import { HeldDeltas } from './held-deltas';
import { Identity } from './identity';
import { Listening } from './listening';
import { NamedTimers } from './named-timers';
import { OwnWrites } from './own-writes';
import { latestOwn, Peers, type Peer } from './peers';
import { gatewayOfReplica, type Replica } from './replica';
import { ReplicaNames } from './replica-names';
import { retireGateway, Retirement } from './retirement';
import { hasRoom } from './room';
import type { Slot } from './slot';
import type { SyncPorts, SyncTimes } from './sync-ports';
import { frameOutgrowsBounds, peerOutgrowsBounds, strategiesDiffer } from './sync-problems';
import { OutgoingTransfers } from './transfers';
import { beyond, counterOf, joinVector, type ReadonlyVector, type VersionVector } from './version-vector';

export { DEFAULT_TIMES, type SyncPorts, type SyncTimes } from './sync-ports';

/** So many peers acknowledge at the full pace. */
const PEERS_AT_PACE = 10;

/**
 * Keeps a replica level with its peers over a transport that may lose, repeat and reorder. Deltas are pushed; a delta
 * that depends on something unknown is held back, and what is missing is asked for from one random peer that has it.
 * Everybody tells from time to time what it knows, so nothing that is lost stays lost.
 *
 * A delta depends on the writes that it replaces or carries, not on everything that its sender had heard: what a key
 * holds is a function of any set of writes that has with each one those that it replaced. With a hundred replicas the
 * whole vector would be most of a delta's bytes.
 */
export class Synchronizer {
  readonly peers: Peers;
  readonly retirement: Retirement;
  private readonly outgoing: OutgoingTransfers;
  private readonly fetching: Fetching;
  private readonly own: OwnWrites;
  /** The highest own counter that any frame has told. */
  private told = 0;
  private readonly listening: Listening;
  private readonly startedAt: number;
  private readonly identity: Identity;
  private owner: string;
  private readonly held: HeldDeltas;
  private readonly names: ReplicaNames;
  private readonly timers: NamedTimers;
  /** What the peers were told that this replica knows. */
  private announced: VersionVector = new Map();
  /** What was told at the last announcement. */
  private expected: ReadonlyVector = new Map();
  /** Somebody waits for the whole vector. */
  private owesAll = false;

  constructor(
    private readonly replica: Replica,
    private readonly strategies: string,
    private readonly times: SyncTimes,
    private readonly ports: SyncPorts,
  ) {
    this.peers = new Peers(replica);
    this.retirement = new Retirement(replica);
    this.peers.forget((id) => this.retirement.has(id));
    this.outgoing = new OutgoingTransfers(replica, ports.random);
    this.names = new ReplicaNames(replica);
    this.own = new OwnWrites(replica, this.names);
    this.held = new HeldDeltas(replica, this.names);
    this.timers = new NamedTimers(ports.clock);
    this.fetching = new Fetching(replica, {
      timers: this.timers,
      times,
      ahead: () => this.ahead(),
      ask: (request) => this.tell({ kind: 'request', ...this.head(), ...request }),
      schedule: (action) => this.schedule(action),
    });
    this.listening = new Listening(replica, {
      timers: this.timers,
      graceMs: times.graceMs,
      connected: () => ports.connected(),
      schedule: (action) => this.schedule(action),
      greet: () => this.announce(true),
      ended: () => {
        this.flush();
        this.announce(false);
      },
    });
    this.owner = replica.id;
    this.startedAt = ports.clock.monotonic();
    this.identity = new Identity(replica, ports, () => this.fetching.abandon());
  }

  /** Begins to talk, once frames have a chance to arrive; again after every time that they had none. */
  start(): void {
    if (this.listening.on || (this.ports.resumed && this.told === 0)) {
      this.listening.begin();
    }
    this.rejoinSoon();
    this.job('hello', 0, () => this.announce(true));
    this.flushSoon();
  }

  stop(): void {
    this.timers.stop();
  }

  /** Takes note of what a turn has changed for good. */
  committed(slots: Iterable<Slot>): void {
    const renewed = this.owner !== this.replica.id;
    if (renewed) {
      this.owner = this.replica.id;
      this.own.renewed();
      this.told = 0;
      this.announced = new Map();
      this.outgoing.clear();
      this.peers.renewed();
    }
    this.takeNote(slots);
    if (renewed) {
      this.takeNote(this.replica.slots());
    }
    this.rejoinSoon();
    if (this.own.waiting) {
      this.flushSoon();
    }
  }

  private takeNote(slots: Iterable<Slot>): void {
    for (const slot of slots) {
      const latest = latestOwn(slot.siblings, this.owner);
      this.own.changed(slot, latest);
      this.peers.changed(slot, latest);
      if (slot.reserved && this.retirement.changed(slot.text)) {
        this.peers.forget((id) => this.retirement.has(id));
      }
    }
  }

  private rejoinSoon(): void {
    if (this.retirement.has(this.replica.id)) {
      this.timers.setOnce('rejoin', this.times.requestMs, () => this.schedule(() => this.rejoin()));
    }
  }

  /** Somebody has declared this replica departed, and here it is. */
  private rejoin(): void {
    if (this.retirement.has(this.replica.id)) {
      this.identity.rejoin();
    }
  }

  /**
   * Declares a gateway departed for all replicas of the space; inside a turn.
   *
   * @throws EdgeError `VALUE`, see {@link retireGateway}.
   */
  retire(gateway: unknown): string {
    return retireGateway(this.replica, gateway, this.peers.ids);
  }

  /** The peers that were heard lately. */
  present(): Peer[] {
    return this.peers.present(this.ports.clock.monotonic(), this.silenceMs);
  }

  /** How long no peer was heard, in ms. */
  aloneFor(now: number): number {
    return now - Math.max(this.startedAt, this.peers.lastHeardAt);
  }

  /** Whether one peer merges by other strategies or rules. */
  disagrees({ strategies }: Peer): boolean {
    return strategies !== undefined && strategies !== this.strategies;
  }

  /** Whether a peer merges by other strategies or rules. */
  get disagreement(): boolean {
    return this.peers.disagree(this.strategies);
  }

  /**
   * Takes a frame.
   *
   * @throws EdgeError `SYNC_INVALID` when it goes past the bounds on keys, siblings or replicas.
   */
  *receive(arrived: AnyFrame, arrival: Arrival = {}): Generator<void, void> {
    const frame = arrived.kind === 'short' ? (arrived.expand(this.names.book) ?? arrived) : arrived;
    const whose = this.identity.defend(frame, arrival, { told: this.told, quiet: this.listening.on });
    if (whose !== "another's") {
      if (whose === 'own, greet' && !this.timers.has('greeted')) {
        // Two that have both begun to tell would otherwise greet each other for ever.
        this.timers.set('greeted', this.times.requestMs, () => undefined);
        this.job('greet', 0, () => this.announce(true));
      }
      return;
    }
    if (frame.kind === 'farewell') {
      this.peers.leave(frame.sender);
      return;
    }
    const entries = 'entries' in frame ? frame.entries : [];
    if (!this.peers.hasRoom(frame.sender) || !hasRoom(this.replica, frame.context, entries)) {
      throw frameOutgrowsBounds();
    }
    const retired = this.retirement.has(frame.sender);
    if (!retired) {
      this.peers.learn(
        frame.sender,
        frame.context,
        arrival.kept === true ? -Infinity : this.ports.clock.monotonic(),
      );
    }
    this.listening.heard(arrived);
    if (!this.listening.on && gatewayOfReplica(frame.sender) !== this.identity.gateway) {
      this.replica.confirm();
    }
    switch (frame.kind) {
      case 'short':
        this.held.hold(frame);
        break;
      case 'delta':
        yield* this.takeDelta(frame);
        break;
      case 'vector':
        if (!retired) {
          this.takeVector(frame, arrival);
        }
        break;
      case 'request':
        yield* this.takeRequest(frame);
        break;
      case 'reply':
        yield* this.takeReply(frame);
        break;
    }
    // What the other peers have was looked at when they were heard; only a transfer keeps from that.
    const ahead = frame.kind === 'reply' ? this.ahead()?.vector : frame.context;
    if (ahead) {
      this.fetching.waitFor(ahead);
    }
  }

  /** Drops deleted keys; peers that have not heard of it all get the full state when they ask. */
  *collect(): Generator<void, void> {
    yield* this.replica.collect(this.own.sent);
  }

  /** Goes on under an identity of its own, having been read from a copy of another replica's store. */
  *takeOwnIdentity(): Generator<void, void> {
    this.identity.renew();
    yield;
  }

  private *takeDelta(frame: DeltaFrame): Generator<void, void> {
    const readiness = this.replica.readiness(frame);
    if (readiness === 'gap') {
      this.held.hold(frame);
      return;
    }
    if (readiness === 'ready') {
      yield* this.replica.joinDelta(frame);
      yield* this.held.join();
      this.acknowledgeSoon(this.acknowledgeMs);
    }
  }

  private takeVector(frame: VectorFrame, { kept }: Arrival): void {
    const peer = this.peers.of(frame.sender);
    if (!peer) {
      return;
    }
    if (frame.strategies !== this.strategies && peer.strategies !== frame.strategies) {
      this.ports.problem(strategiesDiffer(gatewayOfReplica(frame.sender)));
    }
    peer.strategies = frame.strategies;
    if (frame.hello && kept !== true) {
      // Not all at once when many hear the same hello.
      this.owesAll = true;
      this.acknowledgeSoon(this.ports.random.int(1 + Math.floor(this.times.acknowledgeMs / 4)));
    }
  }

  private *takeRequest(frame: RequestFrame): Generator<void, void> {
    if (frame.target !== this.replica.id || this.listening.on) {
      return;
    }
    for (const reply of yield* this.outgoing.answer(frame)) {
      this.tell(reply);
    }
  }

  private *takeReply(frame: ReplyFrame): Generator<void, void> {
    const state = this.fetching.take(frame);
    if (state) {
      if (!hasRoom(this.replica, state.context, state.entries)) {
        throw peerOutgrowsBounds();
      }
      yield* this.replica.joinCatchUp(state);
      yield* this.held.join();
      this.acknowledgeSoon(this.acknowledgeMs);
    }
  }

  private ahead(): Peer | undefined {
    return this.peers.ahead(this.ports.clock.monotonic(), this.silenceMs, this.ports.random);
  }

  private flush(): void {
    if (this.listening.on || !this.ports.connected() || !this.own.waiting) {
      return;
    }
    const delta = this.own.take();
    if (delta === 'too large') {
      // The peers fetch it chunk by chunk.
      this.announce(false);
    } else if (delta) {
      this.tell(delta);
    }
  }

  /** Tells all that is known. */
  private announce(hello: boolean): void {
    const head = this.head();
    this.replica.remember(this.peers.acknowledgements);
    this.announced = new Map(head.context);
    this.owesAll = false;
    const { strategies } = this;
    const { session } = this.identity;
    this.tell({ kind: 'vector', ...head, strategies, hello, ...(hello && { session }) });
    // What was told the last time must have arrived by now; what is newer may be on its way.
    const behind = this.peers.someoneIsBehind(this.present(), this.expected);
    this.expected = head.context;
    const pace = behind ? this.times.announceMs / 5 : this.times.announceMs;
    // Whoever seems to be behind may be level, with its acknowledgement lost: so it is asked.
    this.job('announce', pace * (0.9 + 0.2 * this.ports.random.next()), () =>
      this.announce(this.peers.someoneIsBehind(this.present(), this.expected)),
    );
  }

  /** Many peers acknowledge more rarely, for everyone hears all of them. */
  private get acknowledgeMs(): number {
    return this.times.acknowledgeMs * Math.max(1, this.peers.size / PEERS_AT_PACE);
  }

  private acknowledgeSoon(delayMs: number): void {
    this.timers.setOnce('acknowledge', delayMs, () => this.schedule(() => this.acknowledge()));
  }

  /** Tells what is known since it was told last; whoever misses that hears the whole at the next announcement. */
  private acknowledge(): void {
    const { sender, context } = this.head();
    const news = beyond(context, this.announced);
    if (this.owesAll) {
      this.announce(false);
    } else if (news.size > 0) {
      joinVector(this.announced, news);
      const short = this.names.shortener([]);
      this.tell({ kind: 'vector', sender, context: news, strategies: this.strategies, hello: false, short });
    }
  }

  private flushSoon(): void {
    this.timers.setOnce('flush', this.times.flushMs, () => this.schedule(() => this.flush()));
  }

  private head(): { sender: string; context: Map<string, number> } {
    const context = new Map(this.replica.context);
    if (this.listening.on) {
      context.set(this.replica.id, this.replica.base);
    }
    return { sender: this.replica.id, context };
  }

  private tell(frame: Frame): void {
    if (this.ports.connected()) {
      this.told = Math.max(this.told, counterOf(frame.context, this.replica.id));
      if (!this.listening.on) {
        // A later start must not take what is told from now on for unknown to others.
        this.replica.confirm();
      }
      this.ports.send(frame);
    }
  }

  private get silenceMs(): number {
    return 3 * this.times.announceMs;
  }

  /** Plans a job in a turn of its own; it replaces one of the same name. */
  private job(name: string, delayMs: number, action: () => void): void {
    this.timers.set(name, delayMs, () => this.schedule(action));
  }

  private schedule(action: () => void): void {
    this.ports.schedule(function* () {
      action();
      yield;
    });
  }
}
