import type { Random } from '../shared/random';
import { CHUNK_WINDOW, type ReplyFrame, type RequestFrame } from './frame';
import type { CatchUp, Entry, Replica } from './replica';
import type { ReadonlyVector } from './version-vector';

/** Size that a chunk is filled up to, in bytes. */
const CHUNK_BYTES = 65_536;
/** Transfers that are kept for peers to ask again; they hold references, no copies. */
const MAX_TRANSFERS = 16;

interface OutgoingTransfer {
  id: number;
  state: CatchUp;
  chunks: Entry[][];
}

/** Answers other replicas that ask for what they lack, chunk by chunk from a state that stands still. */
export class OutgoingTransfers {
  private readonly byPeer = new Map<string, OutgoingTransfer>();

  constructor(
    private readonly replica: Replica,
    private readonly random: Random,
  ) {}

  /** The chunks that a request asks for: of a new transfer its first ones. */
  *answer(request: RequestFrame): Generator<void, ReplyFrame[]> {
    let transfer = this.byPeer.get(request.sender);
    let indices = request.chunks;
    if (transfer?.id !== request.transfer || indices.length === 0) {
      const state = yield* this.replica.above(request.context);
      transfer = { id: 1 + this.random.int(0xfffffffe), state, chunks: cut(state.entries) };
      indices = Array.from({ length: CHUNK_WINDOW }, (_, index) => index);
      this.remember(request.sender, transfer);
    }
    const { id, state, chunks } = transfer;
    return indices
      .filter((index) => index < chunks.length)
      .map((index) => ({
        kind: 'reply' as const,
        sender: this.replica.id,
        context: new Map(state.context),
        target: request.sender,
        transfer: id,
        index,
        total: chunks.length,
        entries: chunks[index],
        ...(state.floor && { floor: state.floor }),
      }));
  }

  clear(): void {
    this.byPeer.clear();
  }

  private remember(peer: string, transfer: OutgoingTransfer): void {
    this.byPeer.delete(peer);
    this.byPeer.set(peer, transfer);
    for (const [oldest] of this.byPeer) {
      if (this.byPeer.size <= MAX_TRANSFERS) {
        break;
      }
      this.byPeer.delete(oldest);
    }
  }
}

/** The bytes that an entry takes in a frame, roughly. */
export function entryBytes([key, siblings]: Entry): number {
  return siblings.reduce((sum, { text }) => sum + 16 + (text?.length ?? 0), key.length + 4);
}

function cut(entries: readonly Entry[]): Entry[][] {
  const chunks: Entry[][] = [[]];
  let bytes = 0;
  for (const entry of entries) {
    const size = entryBytes(entry);
    if (bytes + size > CHUNK_BYTES && bytes > 0) {
      chunks.push([]);
      bytes = 0;
    }
    bytes += size;
    chunks[chunks.length - 1].push(entry);
  }
  return chunks;
}

/** Gathers the chunks of one transfer from one peer; they count only together. */
export class IncomingTransfer {
  /** Requests in a row that brought nothing. */
  attempts = 0;
  private id = 0;
  private total = 0;
  private wanted = new Set<number>();
  private readonly chunks = new Map<number, ReplyFrame>();

  /** @param missing what was missing when it began. */
  constructor(
    readonly peer: string,
    readonly missing: ReadonlyVector,
  ) {}

  /** What to ask for next. */
  request(): Pick<RequestFrame, 'target' | 'transfer' | 'chunks'> {
    const missing: number[] = [];
    for (let index = 0; index < this.total && missing.length < CHUNK_WINDOW; index++) {
      if (!this.chunks.has(index)) {
        missing.push(index);
      }
    }
    this.wanted = new Set(missing);
    return { target: this.peer, transfer: this.id, chunks: missing };
  }

  /** Takes a chunk: `complete` with the last one, `next` when it is time to ask for more. */
  take(reply: ReplyFrame): 'complete' | 'next' | 'waiting' {
    if (reply.transfer !== this.id || reply.total !== this.total) {
      // The peer answers a new request, or has forgotten what it was sending and begins anew.
      this.id = reply.transfer;
      this.total = reply.total;
      this.chunks.clear();
      this.wanted = new Set(Array.from({ length: Math.min(CHUNK_WINDOW, reply.total) }, (_, index) => index));
    }
    this.attempts = 0;
    this.chunks.set(reply.index, reply);
    this.wanted.delete(reply.index);
    if (this.chunks.size === this.total) {
      return 'complete';
    }
    return this.wanted.size === 0 ? 'next' : 'waiting';
  }

  /** All that was gathered. */
  state(): CatchUp {
    const [first] = this.chunks.values();
    const entries = [...this.chunks.values()].flatMap((chunk) => chunk.entries);
    return first.floor
      ? { context: first.context, floor: first.floor, entries }
      : { context: first.context, entries };
  }
}
