import type {
  Outbox,
  ReadRequest,
  ReadResult,
  Settlement,
  StoredMessage,
  Usage,
} from '../../nodes/resilient-uplink/outbox-port';

const NONE: ReadResult = { messages: [], corrupt: [], more: false };
const NORMAL = 1;
const BODY = Buffer.alloc(1);

/** A gateway's backlog of so many messages of one topic, which are made when they are read. */
export class SimulatedOutbox implements Outbox {
  private left: number;

  constructor(
    readonly uuid: string,
    private readonly count: number,
    private readonly age_: () => number,
  ) {
    this.left = count;
  }

  get usage(): Usage {
    return {
      messages: this.left,
      bytes: this.left,
      deadLetters: { messages: 0, bytes: 0 },
      oldestAge: this.left > 0 ? 0 : null,
    };
  }

  age(): number {
    return this.age_();
  }

  read({ priority, after, maxRows }: ReadRequest): Promise<ReadResult> {
    if (priority !== NORMAL || after >= this.count) {
      return Promise.resolve(NONE);
    }
    const messages: StoredMessage[] = [];
    const last = Math.min(this.count, after + maxRows);
    for (let sequence = after + 1; sequence <= last; sequence++) {
      messages.push({
        ...{
          sequence,
          priority: NORMAL,
          topic: `${this.uuid}/reading`,
          kind: 'binary',
          body: BODY,
          ttlMs: 0,
        },
        ...{ storedMs: 0, storedAge: 0, attempts: 0, earlierRun: false },
      });
    }
    return Promise.resolve({ messages, corrupt: [], more: last < this.count });
  }

  settle({ remove }: Settlement): Promise<void> {
    for (const { sequences } of remove) {
      this.left -= sequences.length;
    }
    return Promise.resolve();
  }

  expired(): Promise<ReadResult> {
    return Promise.resolve(NONE);
  }

  victims(): Promise<ReadResult> {
    return Promise.resolve(NONE);
  }
}
