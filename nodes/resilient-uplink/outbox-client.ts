import { join } from 'node:path';
import type { Clock } from '../shared/clock';
import { EdgeError, toEdgeError } from '../shared/errors';
import { WorkerClient } from '../shared/worker/worker-client';
import type { RequeueRequest } from './dead-letters';
import type { Shortage } from './disk-reserve';
import type { LedgerReport, LedgerRequest } from './ledger-report';
import type { OutboxLimits } from './outbox-limits';
import {
  occupiedBytes,
  sizeOf,
  type DeadLetterPage,
  type DeadLetterRequest,
  type EvictionOrder,
  type NewMessage,
  type Outbox,
  type OutboxRecords,
  type ReadRequest,
  type ReadResult,
  type Settlement,
  type StoredMessage,
  type TopicsPage,
  type Usage,
} from './outbox-port';
import type { OutboxWorkerMethods, PackedResult } from './outbox-worker-methods';
import { pack, unpack } from './packing';
import type { SalvageProgress } from './salvage/salvage';
import type { StoreLoss } from './store-loss';
import { StoredAppends } from './stored-appends';

/** Bytes that may wait for their commit before further messages are refused. */
export const MAX_WAITING_BYTES = 64 * 1024 * 1024;
const BATCH_ROWS = 1000;
/** The thread's garbage is short-lived: with V8's own size it would keep tens of MB of it. */
const WORKER_YOUNG_MB = 4;
/** Share of the disk's reserve that an outbox may take in any case. */
const LEAST_SHARE = 1 / 16;
/** Share of the disk's reserve by which it may grow before new messages wait for eviction. */
const OVERSHOOT_SHARE = 1 / 16;

interface Waiting {
  message: NewMessage;
  resolve: (sequence: number) => void;
  reject: (error: EdgeError) => void;
}

/**
 * The outbox from the main thread. Messages that arrive in one turn of the event loop, or while a commit is under
 * way, share the next commit.
 */
export class OutboxClient implements Outbox, OutboxRecords {
  private queue: Waiting[] = [];
  private waitingBytes = 0;
  private readonly stored = new StoredAppends(() => this.endDrain());
  private committing = false;
  private scheduled = false;
  private closed = false;
  private held = false;
  private idle: (() => void) | undefined;
  private used: Usage;
  ceiling = Infinity;

  private constructor(
    private readonly worker: WorkerClient<OutboxWorkerMethods>,
    readonly uuid: string,
    private readonly ageAtOpen: number,
    private readonly openedAt: number,
    usage: Usage,
    private readonly options: OutboxClientOptions,
  ) {
    this.used = usage;
    this.usage = usage;
  }

  get usage(): Usage {
    return this.used;
  }

  private set usage(usage: Usage) {
    this.used = usage;
    const { shortage } = usage;
    if ((shortage === undefined) === (this.ceiling === Infinity)) {
      return;
    }
    // Live messages still pass through a store that was empty.
    this.ceiling = shortage ? Math.max(occupiedBytes(usage), shortage.reserve * LEAST_SHARE) : Infinity;
    this.options.onShortage?.(shortage);
  }

  /**
   * Opens or makes the database, and salvages a damaged one first; tells what of it is lost. Rejects with `STORE` when it
   * is in use or the disk refuses.
   */
  static async open(
    path: string,
    options: OutboxClientOptions,
  ): Promise<{ outbox: OutboxClient; loss?: StoreLoss }> {
    let client: OutboxClient | undefined;
    const worker = new WorkerClient<OutboxWorkerMethods>(join(__dirname, 'outbox-worker.js'), {
      name: 'edge-uplink-outbox',
      data: { path, deadLetterBytes: options.deadLetterBytes },
      youngMB: WORKER_YOUNG_MB,
      onDeath: (error) => client?.fail(new EdgeError('STORE', error.message)),
    });
    try {
      let answer = await worker.call('open', null);
      while ('salvaging' in answer) {
        if (options.onSalvage?.(answer.salvaging) === false) {
          throw new EdgeError('STORE', 'The outbox was being salvaged. That begins again when it is opened.');
        }
        answer = await worker.call('open', null);
      }
      const { uuid, age, usage, loss } = answer;
      client = new OutboxClient(worker, uuid, age, options.clock.monotonic(), usage, options);
      return loss ? { outbox: client, loss } : { outbox: client };
    } catch (thrown) {
      await worker.call('close', null).catch(() => undefined);
      await worker.close();
      throw storeError(thrown);
    }
  }

  age(): number {
    return Math.round(this.ageAtOpen + this.options.clock.monotonic() - this.openedAt);
  }

  /**
   * Stores a message; resolves with its sequence once it is synced to disk.
   *
   * @throws EdgeError `OUTBOX_FULL` or `STORE`, by rejection; the message is then not stored.
   */
  append(message: NewMessage): Promise<number> {
    const size = sizeOf(message);
    if (this.closed) {
      return Promise.reject(new EdgeError('STORE', 'The outbox is closed. Send the message again.'));
    }
    const occupied = occupiedBytes(this.usage) + this.waitingBytes + size;
    if (occupied > this.options.limits.hardBytes) {
      return Promise.reject(full('its limit ("limitMB") is reached and nothing may be dropped'));
    }
    if (occupied > this.ceiling && this.options.limits.holdBytes === Infinity) {
      return Promise.reject(full('the disk has too little room left and nothing may be dropped'));
    }
    if (this.queue.length > 0 && this.waitingBytes + size > MAX_WAITING_BYTES) {
      return Promise.reject(full('messages arrive faster than the disk can store them'));
    }
    this.waitingBytes += size;
    return new Promise((resolve, reject) => {
      this.queue.push({ message, resolve, reject });
      this.schedule();
    });
  }

  /** Lets held messages go on (room was made) or refuses them (none can be made). */
  release(room: boolean): void {
    if (!this.held) {
      return;
    }
    this.held = false;
    if (!room) {
      this.refuse(this.queue.splice(0), full('its limit ("limitMB") is reached and all of it is being sent'));
    }
    this.schedule();
  }

  async read(request: ReadRequest): Promise<ReadResult> {
    return this.result(this.worker.call('read', request));
  }

  topics(request: { after: number; maxRows: number }): Promise<TopicsPage> {
    return this.guarded(this.worker.call('topics', request));
  }

  async settle(settlement: Settlement): Promise<void> {
    this.usage = await this.guarded(this.worker.call('settle', settlement));
  }

  async expired(request: { maxAgeMs: number; maxRows: number }): Promise<ReadResult> {
    const answer = this.worker.call('expired', request);
    const result = await this.result(answer);
    this.usage = (await answer).usage;
    return result;
  }

  async victims(request: {
    bytes: number;
    order: EvictionOrder;
    keep: number[];
    maxRows: number;
  }): Promise<ReadResult> {
    return this.result(this.worker.call('victims', request));
  }

  async ledger(request: LedgerRequest): Promise<LedgerReport> {
    return this.guarded(this.worker.call('ledger', request));
  }

  async publication(): Promise<string | undefined> {
    return this.guarded(this.worker.call('publication', null));
  }

  notePublication(note: string): Promise<void> {
    return this.guarded(this.worker.call('notePublication', note));
  }

  async requeue(request: RequeueRequest): Promise<{ sequences: number[]; more: boolean }> {
    const { usage, ...page } = await this.guarded(this.worker.call('requeue', request));
    this.usage = usage;
    return page;
  }

  async deadLetters(request: DeadLetterRequest): Promise<DeadLetterPage> {
    return this.guarded(this.worker.call('deadLetters', request));
  }

  /** Copies the database, as it is at one moment, while it is in use. */
  copyTo(path: string): Promise<void> {
    return this.guarded(this.worker.call('copyTo', path));
  }

  /** Resolves when everything that was appended is stored or refused; nothing can be appended any more. */
  async drain(): Promise<void> {
    this.closed = true;
    this.release(true);
    if (this.isBusy) {
      await new Promise<void>((resolve) => {
        this.idle = resolve;
        this.schedule();
      });
    }
  }

  /** Closes the file and ends the thread. */
  async close(): Promise<void> {
    await this.drain();
    try {
      await this.worker.call('close', null);
    } catch {
      // The thread is gone already, and with it its lock.
    }
    await this.worker.close();
  }

  private schedule(): void {
    if (this.scheduled || this.committing || this.held || this.queue.length === 0) {
      return;
    }
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.commit();
    });
  }

  private commit(): void {
    if (this.committing || this.held || this.queue.length === 0) {
      return;
    }
    if (occupiedBytes(this.usage) > this.holdBytes() && !this.closed) {
      this.held = true;
      this.options.onHeld();
      return;
    }
    const batch = this.nextBatch();
    const packed = pack(batch, ({ message: { priority, topic, kind, ttlMs } }) => ({
      priority,
      topic,
      kind,
      ttlMs,
    }));
    this.committing = true;
    this.guarded(this.worker.call('append', packed, [packed.bodies.buffer])).then(
      (answer) => {
        this.usage = answer.usage;
        this.settled(batch);
        this.options.onStored(
          batch.map(({ message }, index) => ({
            ...message,
            sequence: answer.first + index,
            storedMs: answer.storedMs,
            storedAge: answer.storedAge,
            attempts: 0,
            earlierRun: false,
          })),
        );
        this.stored.take(batch, answer.first);
      },
      (thrown: unknown) => {
        this.settled([]);
        this.refuse(batch, storeError(thrown));
      },
    );
  }

  private get isBusy(): boolean {
    return this.queue.length > 0 || this.committing || this.stored.pending > 0;
  }

  private endDrain(): void {
    if (!this.isBusy) {
      this.idle?.();
    }
  }

  private holdBytes(): number {
    const { holdBytes } = this.options.limits;
    const { shortage } = this.usage;
    return shortage && holdBytes < Infinity
      ? Math.min(holdBytes, this.ceiling + shortage.reserve * OVERSHOOT_SHARE)
      : holdBytes;
  }

  private nextBatch(): (Waiting & { body: Uint8Array })[] {
    let bytes = 0;
    let rows = 0;
    while (
      rows < this.queue.length &&
      rows < BATCH_ROWS &&
      (rows === 0 || bytes < this.options.limits.batchBytes)
    ) {
      bytes += this.queue[rows].message.body.byteLength;
      rows++;
    }
    return this.queue.splice(0, rows).map((waiting) => ({ ...waiting, body: waiting.message.body }));
  }

  private settled(batch: readonly Waiting[]): void {
    this.committing = false;
    for (const { message } of batch) {
      this.waitingBytes -= sizeOf(message);
    }
    this.schedule();
  }

  private refuse(batch: readonly Waiting[], error: EdgeError): void {
    for (const { message, reject } of batch) {
      this.waitingBytes -= sizeOf(message);
      reject(error);
    }
    this.endDrain();
  }

  private async result(answer: Promise<PackedResult>): Promise<ReadResult> {
    const packed = await this.guarded(answer);
    return { messages: unpack(packed), corrupt: packed.corrupt, more: packed.more };
  }

  private async guarded<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (thrown) {
      const error = toEdgeError(thrown);
      if (error.code === 'CORRUPT') {
        this.fail(error);
      }
      throw storeError(thrown);
    }
  }

  private fail(error: EdgeError): void {
    if (!this.closed) {
      this.closed = true;
      this.refuse(this.queue.splice(0), storeError(error));
      this.options.onFailure(error);
    }
  }
}

export interface OutboxClientOptions {
  clock: Pick<Clock, 'monotonic'>;
  limits: OutboxLimits;
  /** Bytes of refused messages that are kept; all of them when undefined. */
  deadLetterBytes?: number;
  /** Called after a commit, in order of sequence, before the appends resolve. */
  onStored(messages: StoredMessage[]): void;
  /** Called when new messages wait for room; answered by `release`. */
  onHeld(): void;
  /** Called when the disk's room begins or ceases to be short. */
  onShortage?(shortage: Shortage | undefined): void;
  /** Called now and then while a damaged store is read, which delays the opening; `false` ends it. */
  onSalvage?(progress: SalvageProgress): boolean;
  /** Called once when the store is of no use any more: `CORRUPT` with `details.file`, or `STORE`. */
  onFailure(error: EdgeError): void;
}

function full(reason: string): EdgeError {
  return new EdgeError('OUTBOX_FULL', `The outbox takes no more: ${reason}. Send the message again later.`);
}

function storeError(thrown: unknown): EdgeError {
  const { code, message, details } = toEdgeError(thrown, 'STORE');
  return code === 'STORE' ? (thrown as EdgeError) : new EdgeError('STORE', `The outbox: ${message}`, details);
}
