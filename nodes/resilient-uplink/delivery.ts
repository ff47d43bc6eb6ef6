import type { Clock, Timer } from '../shared/clock';
import { toEdgeError } from '../shared/errors';
import type { Random } from '../shared/random';
import { Batching } from './batching';
import { takeCensus } from './census';
import type { Carrier, Flight } from './carrier';
import type { DeliveryConfig, DeliveryEvents } from './delivery-types';
import { Lane, type Ask } from './lane';
import { LaneReader } from './lane-reader';
import { Isolation } from './isolation';
import type { Answer, Link } from './link';
import { LinkPool } from './link-pool';
import { PRIORITIES, type Outbox, type StoredMessage } from './outbox-port';
import { parcelOf } from './parcel';
import { Press } from './press';
import { replayTest } from './replay';
import { SettlementBuffer } from './settlement-buffer';
import { TokenBucket } from './token-bucket';
import { Settling } from './settling';
import type { TopicQueue } from './topic-queue';
import { Turns } from './turns';

export type { DeliveryConfig, DeliveryEvents, DeliveryNote } from './delivery-types';

const CORRUPT = { fate: 'corrupt', connection: '' } as const;

const TICK_MS = 100;

/**
 * Sends what the outbox holds over the connection that works, keeping the order of every topic within its priority,
 * and settles a message only when a connection acknowledged it or refused it for good.
 */
export class Delivery {
  readonly pool: LinkPool;
  private readonly lanes: readonly Lane[];
  private readonly turns = new Turns();
  private readonly settlements: SettlementBuffer;
  private readonly reader: LaneReader;
  private readonly batching: Batching;
  /** One for each lane: an alert does not wait for a batch that is being compressed. */
  private readonly presses: readonly Press[];
  private readonly isolation: Isolation;
  private readonly settling: Settling;
  private timer: Timer | undefined;
  private alarm: { at: number; timer: Timer } | undefined;
  private isPaused = false;
  private stopped = false;
  private pumping = false;
  /** Whether a connection that is trusted carried when it was last looked at. */
  private worked = false;

  constructor(
    links: readonly Link[],
    private readonly outbox: Outbox,
    private readonly config: DeliveryConfig,
    private readonly clock: Clock,
    random: Random,
    private readonly events: DeliveryEvents,
  ) {
    this.settlements = new SettlementBuffer(outbox, clock, (error) => events.storeFailed(error));
    const replay = config.replayRate ? new TokenBucket(config.replayRate, clock.monotonic()) : undefined;
    // Alerts are never held up.
    this.lanes = PRIORITIES.map(
      (name, priority) => new Lane(priority, name === 'alert' ? undefined : replay),
    );
    this.batching = new Batching({ size: config.batchSize ?? 1, delayMs: config.batchDelayMs ?? 0 });
    this.presses = PRIORITIES.map(() => new Press(config.compression ?? 'none'));
    this.reader = new LaneReader(outbox, (sequence) => this.settlements.has(sequence), {
      arrived: () => this.pump(),
      corrupt: (sequences) => this.removeCorrupt(sequences),
      failed: (error) => events.storeFailed(error),
    });
    this.isolation = new Isolation(config.healthIntervalMs, random);
    this.settling = new Settling({
      outbox,
      settlements: this.settlements,
      reader: this.reader,
      isolation: this.isolation,
      retry: config.retry,
      clock,
      random,
      events,
    });
    this.pool = new LinkPool(links, config, clock, random, {
      lost: (flights, carrier, loss) => this.settling.lost(flights, carrier, loss),
      failed: ({ link, trouble }) =>
        events.connectionFailed(link.name, trouble?.reason ?? '', trouble?.fault),
      changed: () => {
        this.pump();
        events.changed();
      },
    });
  }

  /** Begins with what is stored, at once and without a new message. */
  start(): void {
    if (this.config.replayRate) {
      takeCensus(this.outbox, this.lanes, () => this.stopped).catch((thrown: unknown) =>
        this.events.storeFailed(toEdgeError(thrown, 'STORE')),
      );
    }
    this.tick();
  }

  /** Takes messages that were just stored, in order. */
  offer(messages: readonly StoredMessage[]): void {
    const works = this.isWorking();
    for (const message of messages) {
      this.lanes[message.priority].offer(message, works);
    }
    this.pump();
  }

  /** Looks again for messages from a sequence on: they were put back to the store. */
  rewind(sequence: number): void {
    this.lanes.forEach((lane) => lane.rewind(sequence));
    this.pump();
  }

  get paused(): boolean {
    return this.isPaused;
  }

  pause(): void {
    this.isPaused = true;
    this.isWorking();
  }

  resume(): void {
    this.isPaused = false;
    this.pump();
  }

  /** Forgets all waiting times: closed connections and refused messages are tried at once. */
  flush(): void {
    for (const lane of this.lanes) {
      for (const queue of lane.topics.values()) {
        queue.hurried = true;
        if (!this.isolation.has(queue)) {
          queue.release();
          lane.wake(queue);
        }
      }
    }
    this.isolation.hurry();
    this.pool.hurry();
    this.pump();
  }

  /** Messages that are under way. */
  get inFlight(): number {
    return this.pool.carriers.reduce((sum, carrier) => sum + carrier.messages, 0);
  }

  /** Sequences that must not be dropped: they are under way, or settled and about to be deleted. */
  untouchable(): number[] {
    const flying = this.pool.carriers.flatMap(({ flights }) =>
      [...flights].flatMap(({ cargo }) => cargo.map(({ message }) => message.sequence)),
    );
    return [...flying, ...this.settlements.pending()];
  }

  /** Ends messages without sending them: they expired or were evicted. Those under way are left alone. */
  discard(messages: readonly StoredMessage[], fate: 'expired' | 'evicted'): StoredMessage[] {
    const untouchable = new Set(this.untouchable());
    const gone = messages.filter(({ sequence }) => !untouchable.has(sequence));
    for (const message of gone) {
      this.lanes[message.priority].drop(message);
      this.settlements.remove(message.sequence, { fate, connection: '' });
    }
    return gone;
  }

  /** Deletes rows that the medium damaged. */
  removeCorrupt(sequences: readonly number[]): void {
    if (sequences.length > 0) {
      sequences.forEach((sequence) => this.settlements.remove(sequence, CORRUPT));
      this.events.corrupt([...sequences]);
    }
  }

  /** Resolves when everything that was settled so far is deleted. */
  settled(): Promise<void> {
    return this.settlements.flush();
  }

  /** Sends nothing more, waits up to `graceMs` for answers that are due, then closes all connections. */
  async stop(graceMs: number): Promise<void> {
    this.stopped = true;
    this.reader.stop();
    const end = this.clock.monotonic() + graceMs;
    while (this.inFlight > 0 && this.clock.monotonic() < end) {
      await new Promise<void>((resolve) => {
        this.clock.after(20, resolve);
      });
    }
    this.timer?.cancel();
    this.alarm?.timer.cancel();
    this.pool.carriers.forEach((carrier) => {
      this.settling.lost(this.pool.stop(carrier), carrier, { reason: 'the node was stopped' });
    });
    await this.settlements.flush();
    this.settlements.close();
  }

  /** Whether a trusted connection carries, and may. What is stored when one begins to is the backlog. */
  private isWorking(): boolean {
    const works = !this.isPaused && this.pool.current?.failures === 0;
    if (works && !this.worked) {
      this.lanes.forEach((lane) => lane.beginReplay());
    }
    this.worked = works;
    return works;
  }

  private tick(): void {
    if (!this.stopped) {
      this.pool.tend();
    }
    this.wakeDue();
    this.pump();
    if (!this.stopped || this.inFlight > 0) {
      this.timer = this.clock.after(TICK_MS, () => this.tick());
    }
  }

  private wakeDue(): void {
    const now = this.clock.monotonic();
    for (const lane of this.lanes) {
      lane.dueAt = Infinity;
      for (const queue of lane.topics.values()) {
        if (queue.retryAt <= now) {
          lane.wake(queue);
        } else {
          queue.ownBodies();
        }
        this.reader.unpark(lane, queue);
      }
      if (lane.isStuck(now)) {
        lane.park(now);
      }
    }
  }

  private pump(): void {
    if (this.pumping) {
      return;
    }
    this.pumping = true;
    try {
      this.isWorking();
      if (!this.isPaused && !this.stopped) {
        this.sendAll();
        this.setAlarm();
      }
      for (const lane of this.lanes) {
        this.reader.fill(lane);
      }
    } finally {
      this.pumping = false;
    }
  }

  private sendAll(): void {
    const now = this.clock.monotonic();
    for (const carrier of this.pool.onTrial()) {
      // The least urgent message that there is: if the connection stalls, it waits for the timeout.
      const sent = [...this.lanes].reverse().some((lane) => this.launch(lane, carrier, now) !== undefined);
      if (sent) {
        carrier.lastProbeAt = now;
      }
    }
    const { current } = this.pool;
    if (!current || this.isolation.busy) {
      return;
    }
    const suspect = this.isolation.due(current, now);
    // A trusted connection is emptied for it; one on trial has it when there is nothing better to try it with.
    if (!suspect || current.failures > 0) {
      while (current.hasRoom(now) && this.turns.next((lane) => this.launch(this.lanes[lane], current, now))) {
        // Until it is full or nothing may go.
      }
    }
    if (suspect && current.flights.size === 0 && current.hasRoom(now)) {
      this.launch(suspect.lane, current, now, suspect.queue);
    }
  }

  /** Comes back when a topic has waited long enough for company. */
  private setAlarm(): void {
    const at = Math.min(...this.lanes.map(({ dueAt }) => dueAt));
    if (at >= (this.alarm?.at ?? Infinity)) {
      return;
    }
    this.alarm?.timer.cancel();
    const timer = this.clock.after(at - this.clock.monotonic(), () => {
      this.alarm = undefined;
      this.wakeDue();
      this.pump();
    });
    this.alarm = { at, timer };
  }

  /** @param alone the topic of a suspect, to be sent by itself */
  private launch(lane: Lane, carrier: Carrier, now: number, alone?: TopicQueue): true | undefined {
    const { link } = carrier;
    const { uuid } = this.outbox;
    const age = this.outbox.age();
    const ask: Ask = {
      carrier,
      ordered: link.ordered,
      now,
      age,
      bodyLimit: (topic) => link.bodyLimit?.(topic) ?? Infinity,
    };
    const next = alone ? lane.nextOf(alone, ask, this.batching) : lane.next(ask, this.batching);
    if (!next) {
      return undefined;
    }
    const { cargo, queue } = next;
    const messages = cargo.map(({ message }) => message);
    const flight: Flight = {
      cargo,
      bytes: messages.reduce((sum, { body }) => sum + body.byteLength, 0),
      queue,
      lane,
    };
    cargo.forEach((held) => held.attempts++);
    carrier.launched(flight, now);
    if (alone) {
      this.isolation.launched(flight, carrier, now);
    }
    const isReplay = replayTest(age, now - carrier.openedAt, this.config.batchDelayMs);
    this.presses[lane.priority].press(
      parcelOf(uuid, messages, this.batching.enveloped, isReplay),
      (outgoing) => {
        // Given up while it was compressed: the messages wait again already.
        if (carrier.flights.has(flight)) {
          link.send(outgoing, (answer) => this.answered(flight, carrier, answer));
        }
      },
    );
    return true;
  }

  private answered(flight: Flight, carrier: Carrier, answer: Answer): void {
    // An answer that comes after its connection was given up: the messages are on their way again already.
    if (!carrier.flights.has(flight)) {
      return;
    }
    const { state } = carrier;
    const { current } = this.pool;
    this.settling.answered(flight, carrier, answer, current !== undefined && current !== carrier);
    if (answer.outcome === 'retry' && answer.fault === 'credential') {
      this.pool.fail(carrier, { reason: answer.reason, fault: answer.fault });
    } else if (carrier.state !== state) {
      this.pool.tend();
      this.events.changed();
    }
    this.pump();
  }
}
