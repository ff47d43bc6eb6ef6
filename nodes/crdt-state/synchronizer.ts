import type { Clock } from '../shared/clock';
import { EdgeError } from '../shared/errors';
import type { Random } from '../shared/random';
import { answerToDouble, doubleProblem, type Arrival } from './double';
import type { DeltaFrame, Frame, ReplyFrame, RequestFrame, VectorFrame } from './frames';
import { HeldDeltas } from './held-deltas';
import { NamedTimers } from './named-timers';
import { latestOwn, Peers, type Peer } from './peers';
import { gatewayOfReplica, replicaId, type Entry, type Replica } from './replica';
import { IncomingTransfer, OutgoingTransfers, entryBytes } from './transfers';
import { counterOf } from './version-vector';

/** Paces of the exchange, in ms. */
export interface SyncTimes {
  /** How long own writes are gathered into one delta. */
  flushMs: number;
  /** How often a replica tells what it knows when nothing happens. */
  announceMs: number;
  /** How soon it acknowledges what it took. */
  acknowledgeMs: number;
  /** How long a gap is waited out before the missing part is asked for. */
  holdMs: number;
  /** How long an answer is waited for. */
  requestMs: number;
  /** After a restart: how long peers are listened to before anything new is told. */
  graceMs: number;
}

export const DEFAULT_TIMES: SyncTimes = {
  flushMs: 100,
  announceMs: 10_000,
  acknowledgeMs: 500,
  holdMs: 250,
  requestMs: 1000,
  // Longer than a client that was thrown out of a broker waits before it connects again.
  graceMs: 3000,
};

/** What the exchange needs from the world. Jobs run in a turn of the replica, one after the other. */
export interface SyncPorts {
  clock: Clock;
  random: Random;
  /** Whether the replica was stored by an earlier process. */
  resumed: boolean;
  /** Sends once the turn that is open is on disk. */
  send(frame: Frame): void;
  /** Whether a frame that is sent now has a chance to arrive. */
  connected(): boolean;
  schedule(job: () => Generator<void, void>): void;
  /** Twelve hexadecimal digits that no other start of any replica has. */
  newIncarnation(): string;
  /** Told once for each peer. */
  problem(error: EdgeError): void;
}

const MAX_DELTA_BYTES = 131_072;
const MAX_ATTEMPTS = 5;

/**
 * Keeps a replica level with its peers over a transport that may lose, repeat and reorder. Deltas are pushed; a delta
 * that depends on something unknown is held back, and what is missing is asked for from one random peer that has it.
 * Everybody tells from time to time what it knows, so nothing that is lost stays lost.
 *
 * A later step may send only the part of the context that has changed since the last delta: with a hundred replicas
 * the vector is most of a delta's bytes.
 */
export class Synchronizer {
  readonly peers: Peers;
  private readonly outgoing: OutgoingTransfers;
  private incoming: IncomingTransfer | undefined;
  private readonly unsent = new Set<string>();
  /** Own counters: the last delta's end, and the highest that any frame has told. */
  private sealed: number;
  private told = 0;
  private quiet = false;
  private readonly startedAt: number;
  private owner: string;
  private readonly held: HeldDeltas;
  private readonly timers: NamedTimers;

  constructor(
    private readonly replica: Replica,
    private readonly strategies: string,
    private readonly times: SyncTimes,
    private readonly ports: SyncPorts,
  ) {
    this.peers = new Peers(replica);
    this.outgoing = new OutgoingTransfers(replica, ports.random);
    this.held = new HeldDeltas(replica);
    this.timers = new NamedTimers(ports.clock);
    this.owner = replica.id;
    this.sealed = replica.counter;
    this.startedAt = ports.clock.monotonic();
  }

  /** Begins to talk, once frames have a chance to arrive; again after every time that they had none. */
  start(): void {
    if (this.quiet || (this.ports.resumed && this.told === 0)) {
      // A restored disk image is found out by listening first.
      this.quiet = true;
      this.job('grace', this.times.graceMs, () => this.endGrace());
    }
    this.job('hello', 0, () => this.announce(true));
    this.flushSoon();
  }

  stop(): void {
    this.timers.stop();
  }

  /** Takes note of what a turn has changed for good. */
  committed(keys: Iterable<string>): void {
    const renewed = this.owner !== this.replica.id;
    if (renewed) {
      this.owner = this.replica.id;
      this.sealed = 0;
      this.told = 0;
      this.unsent.clear();
      this.outgoing.clear();
    }
    const changed = renewed ? [...this.replica.entries()].map(([key]) => key) : [...keys];
    for (const key of changed) {
      if (latestOwn(this.replica, key) > this.sealed) {
        this.unsent.add(key);
      }
    }
    this.peers.committed(changed);
    if (this.unsent.size > 0) {
      this.flushSoon();
    }
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
  *receive(frame: Frame, arrival: Arrival = {}): Generator<void, void> {
    const knownOfMe = counterOf(frame.context, this.replica.id);
    if (knownOfMe > Math.max(this.replica.base, this.told)) {
      this.renew();
    } else if (frame.sender === this.replica.id) {
      const { base } = this.replica;
      const answer = answerToDouble(frame, arrival, { brought: knownOfMe, base, quiet: this.quiet });
      if (answer === 'renew') {
        this.renew();
        this.ports.problem(doubleProblem(gatewayOfReplica(this.replica.id)));
      } else if (answer === 'greet') {
        this.timers.setOnce('greet', 0, () => this.schedule(() => this.announce(true)));
      }
      return;
    }
    if (frame.kind === 'farewell') {
      this.peers.leave(frame.sender);
      return;
    }
    const entries = 'entries' in frame ? frame.entries : [];
    if (!this.peers.hasRoom(frame.sender) || !this.replica.hasRoom(frame.context, entries)) {
      throw new EdgeError(
        'SYNC_INVALID',
        'A frame was refused: with it this space would outgrow its bounds on keys, writes of a key or replicas.',
      );
    }
    const heardAt = arrival.kept === true ? -Infinity : this.ports.clock.monotonic();
    const peer = this.peers.learn(frame.sender, frame.context, heardAt);
    if (!this.quiet && gatewayOfReplica(frame.sender) !== gatewayOfReplica(this.replica.id)) {
      this.replica.confirm();
    }
    switch (frame.kind) {
      case 'delta':
        yield* this.takeDelta(frame);
        break;
      case 'vector':
        this.takeVector(frame, peer);
        if (frame.hello && arrival.kept !== true) {
          // Not all at once when many hear the same hello.
          this.acknowledgeSoon(this.ports.random.int(1 + Math.floor(this.times.acknowledgeMs / 4)));
        }
        break;
      case 'request':
        yield* this.takeRequest(frame);
        break;
      case 'reply':
        yield* this.takeReply(frame);
        break;
    }
    if (!this.incoming && this.ahead()) {
      this.timers.setOnce('lack', this.times.holdMs, () => this.schedule(() => this.fetch()));
    }
  }

  /** Drops deleted keys; peers that have not heard of it all get the full state when they ask. */
  *collect(): Generator<void, void> {
    yield* this.replica.collect(this.sealed);
  }

  private renew(): void {
    this.replica.renew(replicaId(gatewayOfReplica(this.replica.id), this.ports.newIncarnation()));
    this.abandon();
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
      this.acknowledgeSoon(this.times.acknowledgeMs);
    }
  }

  private takeVector(frame: VectorFrame, peer: Peer): void {
    if (frame.strategies !== this.strategies && peer.strategies !== frame.strategies) {
      this.ports.problem(
        new EdgeError(
          'STRATEGY',
          `Gateway "${gatewayOfReplica(frame.sender)}" merges by another strategy or other rules. Give all nodes of this space the same ones.`,
          { gateway: gatewayOfReplica(frame.sender) },
        ),
      );
    }
    peer.strategies = frame.strategies;
  }

  private *takeRequest(frame: RequestFrame): Generator<void, void> {
    if (frame.target !== this.replica.id || this.quiet) {
      return;
    }
    for (const reply of yield* this.outgoing.answer(frame)) {
      this.tell(reply);
    }
  }

  private *takeReply(frame: ReplyFrame): Generator<void, void> {
    if (frame.target !== this.replica.id || this.incoming?.peer !== frame.sender) {
      return;
    }
    const progress = this.incoming.take(frame);
    if (progress === 'next') {
      this.request();
    }
    if (progress === 'complete') {
      const state = this.incoming.state();
      this.abandon();
      if (!this.replica.hasRoom(state.context, state.entries)) {
        throw new EdgeError('SYNC_INVALID', 'A peer holds more than this space may: delete some keys there.');
      }
      yield* this.replica.joinCatchUp(state);
      yield* this.held.join();
      this.acknowledgeSoon(this.times.acknowledgeMs);
    }
  }

  private ahead(): Peer | undefined {
    return this.peers.ahead(this.ports.clock.monotonic(), this.silenceMs, this.ports.random);
  }

  /** Asks one peer for what is missing, unless another is being asked. */
  private fetch(): void {
    if (this.incoming) {
      return;
    }
    const peer = this.ahead();
    if (peer) {
      this.incoming = new IncomingTransfer(peer.replica);
      this.request();
    }
  }

  private request(): void {
    const { incoming } = this;
    if (!incoming) {
      return;
    }
    if (incoming.attempts >= MAX_ATTEMPTS) {
      this.abandon();
      this.job('lack', this.times.requestMs, () => this.fetch());
      return;
    }
    this.tell({ kind: 'request', ...this.head(), ...incoming.request() });
    this.job('request', this.times.requestMs * 2 ** Math.min(incoming.attempts, 2), () => this.request());
    incoming.attempts++;
  }

  private abandon(): void {
    this.incoming = undefined;
    this.timers.cancel('request');
  }

  private flush(): void {
    if (this.quiet || !this.ports.connected() || this.unsent.size === 0) {
      return;
    }
    const entries: Entry[] = [];
    let bytes = 0;
    for (const key of this.unsent) {
      const entry: Entry = [key, this.replica.siblings(key)];
      if (entry[1].length > 0) {
        entries.push(entry);
        bytes += entryBytes(entry);
      }
    }
    const from = this.sealed;
    this.sealed = this.replica.counter;
    this.unsent.clear();
    if (bytes > MAX_DELTA_BYTES) {
      // More than one frame holds: a delta cannot be divided, so the peers fetch it chunk by chunk.
      this.announce(false);
    } else if (this.sealed > from) {
      this.tell({ kind: 'delta', ...this.head(), from, entries });
    }
  }

  private announce(hello: boolean): void {
    this.tell({ kind: 'vector', ...this.head(), strategies: this.strategies, hello });
    const pace = this.someoneIsBehind() ? this.times.announceMs / 5 : this.times.announceMs;
    // Whoever seems to be behind may be level, with its acknowledgement lost: so it is asked.
    this.job('announce', pace * (0.9 + 0.2 * this.ports.random.next()), () =>
      this.announce(this.someoneIsBehind()),
    );
  }

  private someoneIsBehind(): boolean {
    return this.peers.someoneIsBehind(this.present());
  }

  private acknowledgeSoon(delayMs: number): void {
    this.timers.setOnce('acknowledge', delayMs, () => this.schedule(() => this.announce(false)));
  }

  private flushSoon(): void {
    this.timers.setOnce('flush', this.times.flushMs, () => this.schedule(() => this.flush()));
  }

  private endGrace(): void {
    if (!this.ports.connected()) {
      // Nobody could have been heard; the next connection begins anew.
      return;
    }
    this.quiet = false;
    // From now on own writes are told, so a later start must not take them for unknown to others.
    this.replica.confirm();
    this.flush();
    this.announce(false);
  }

  private head(): { sender: string; context: Map<string, number> } {
    const context = new Map(this.replica.context);
    if (this.quiet) {
      context.set(this.replica.id, this.replica.base);
    }
    return { sender: this.replica.id, context };
  }

  private tell(frame: Frame): void {
    if (this.ports.connected()) {
      this.told = Math.max(this.told, counterOf(frame.context, this.replica.id));
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
