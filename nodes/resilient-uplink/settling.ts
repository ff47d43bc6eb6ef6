import type { Clock } from '../shared/clock';
import type { Random } from '../shared/random';
import { backoffMs, slowRetryMs, type RetryBounds } from './backoff';
import type { Carrier, Flight } from './carrier';
import type { DeliveryEvents } from './delivery-types';
import type { Isolation } from './isolation';
import type { LaneReader } from './lane-reader';
import type { Answer, Loss } from './link';
import type { Outbox } from './outbox-port';
import { parcelId } from './parcel';
import type { SettlementBuffer } from './settlement-buffer';
import type { Held } from './topic-queue';

const REJECTED = { fate: 'rejected', connection: '' } as const;

/** What decides over messages that come back from a connection. */
export interface SettlingTools {
  outbox: Outbox;
  settlements: SettlementBuffer;
  reader: LaneReader;
  isolation: Isolation;
  retry: RetryBounds;
  clock: Clock;
  random: Random;
  events: DeliveryEvents;
}

/** What becomes of messages when a connection has answered, or was lost without an answer. */
export class Settling {
  constructor(private readonly tools: SettlingTools) {}

  /**
   * A connection answered.
   *
   * @param elsewhere whether another connection carries, so that a message which this one does not take now goes there
   */
  answered(flight: Flight, carrier: Carrier, answer: Answer, elsewhere: boolean): void {
    const now = this.tools.clock.monotonic();
    this.tools.isolation.answered(flight);
    carrier.answered(flight, answer.outcome !== 'retry', now);
    if (answer.outcome === 'retry') {
      this.postpone(flight, carrier, answer, { now, elsewhere });
      return;
    }
    flight.queue.acknowledged();
    if (answer.outcome === 'rejected') {
      this.refuse(flight, carrier, answer.reason);
    } else {
      this.conclude(flight, carrier, undefined);
    }
  }

  /** A connection was lost: what was under way waits again, each in its place. */
  lost(flights: readonly Flight[], carrier: Carrier, loss: Loss): void {
    const { isolation, clock } = this.tools;
    const convicted = isolation.lost(carrier, loss, clock.monotonic());
    for (const flight of flights) {
      if (flight !== convicted) {
        this.takeBack(flight);
      }
    }
    if (convicted) {
      convicted.queue.acknowledged();
      convicted.queue.release();
      this.refuse(
        convicted,
        carrier,
        `the connection was closed each of three times that it was sent, and at no other time: its topic, size or content is not taken (${loss.reason})`,
      );
    }
    if (loss.closed) {
      isolation.suspect(flights, carrier);
    }
  }

  private postpone(
    { cargo, queue, lane }: Flight,
    carrier: Carrier,
    answer: Answer & { outcome: 'retry' },
    { now, elsewhere }: { now: number; elsewhere: boolean },
  ): void {
    const { retry, random, events } = this.tools;
    const { reason, fault, retryAfterMs } = answer;
    carrier.trouble = { reason, ...(fault && { fault }) };
    if (retryAfterMs !== undefined) {
      carrier.pause(now + retryAfterMs);
    }
    this.noteAttempts(cargo);
    if (elsewhere || fault === 'credential') {
      // What the connection lacks is no reason to keep the topic from the next one.
      queue.declined();
      queue.takeBack(cargo);
      lane.wake(queue);
    } else {
      const waitMs = fault ? slowRetryMs(retry, random) : backoffMs(retry, queue.refusals + 1, random);
      queue.refused(now + waitMs);
      queue.takeBack(cargo);
    }
    if (fault === 'permission') {
      events.connectionFailed(carrier.link.name, reason, fault);
      events.changed();
    }
  }

  /** Refused for good. */
  private refuse(flight: Flight, carrier: Carrier, reason: string): void {
    const { cargo, queue, lane } = flight;
    if (cargo.length > 1) {
      // One of them is refused, or the whole for its size: the halves will tell.
      this.noteAttempts(cargo);
      queue.split(cargo);
      lane.wake(queue);
    } else {
      this.conclude(flight, carrier, reason);
    }
  }

  /** Messages came to their end. */
  private conclude({ cargo, queue, lane }: Flight, carrier: Carrier, refusal: string | undefined): void {
    const { outbox, settlements, reader, events } = this.tools;
    const connection = carrier.link.name;
    const ending =
      refusal === undefined
        ? { fate: 'delivered' as const, connection }
        : { ...REJECTED, refusal: { reason: refusal, connection } };
    for (const held of cargo) {
      settlements.remove(held.message.sequence, ending);
    }
    lane.wake(queue);
    cargo.forEach((held) => lane.release(queue, held));
    reader.unpark(lane, queue);
    for (const { message, attempts, duplicatePossible } of cargo) {
      if (refusal === undefined) {
        events.delivered(message, {
          id: parcelId(outbox.uuid, [message]),
          connection,
          attempts,
          storedMs: message.storedMs,
          fallback: carrier.rank > 0,
          duplicatePossible,
        });
      } else {
        events.rejected(message, refusal);
      }
    }
  }

  private takeBack({ cargo, queue, lane }: Flight): void {
    cargo.forEach((held) => {
      held.duplicatePossible = true;
    });
    queue.flying--;
    queue.takeBack(cargo);
    this.noteAttempts(cargo);
    lane.wake(queue);
  }

  private noteAttempts(cargo: readonly Held[]): void {
    for (const { message, attempts } of cargo) {
      this.tools.settlements.note(message.sequence, attempts);
    }
  }
}
