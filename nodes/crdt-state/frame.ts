import { EdgeError } from '../shared/errors';
import type { Name } from './names';
import type { CatchUp, Delta } from './replica';
import type { VersionVector } from './version-vector';

/** What every frame says: who sent it and what that replica knew. */
interface FrameHead {
  sender: string;
  /** All that the sender knew; in a delta only what must be known to join it, in a vector at least what is new. */
  context: VersionVector;
}

/** Names by text, of those that whoever can join the frame knows. */
export interface Shortener {
  /** @param index of the key among the delta's entries */
  key(text: string, index: number): Name | undefined;
  replica(text: string): Name | undefined;
}

/** Known names by reference. */
export interface NameBook {
  key(ref: number): Name | undefined;
  replica(ref: number): Name | undefined;
}

/** Writes, pushed as they happen. */
export type DeltaFrame = FrameHead & { kind: 'delta' } & Pick<Delta, 'from' | 'entries' | 'names'> & {
    /** What may travel by its short name. */
    short?: Shortener;
  };

/** What a replica knows, told from time to time; it acknowledges writes and shows what is missing. */
export type VectorFrame = FrameHead & {
  kind: 'vector';
  /** Hash of strategy and rules. */
  strategies: string;
  /** Asks the others to tell theirs at once. */
  hello: boolean;
  /**
   * In a hello, a number that the process has drawn: what a copy of the gateway says while neither has written would be
   * the same byte by byte, and each would take it for its own come back.
   */
  session?: number;
  short?: Shortener;
};

/** Asks one replica for what it knows above the context. */
export type RequestFrame = FrameHead & {
  kind: 'request';
  target: string;
  /** The transfer that `chunks` belong to; 0 asks for a new one. */
  transfer: number;
  chunks: number[];
};

/** One chunk of what was asked for; the chunks of a transfer count only together. */
export type ReplyFrame = FrameHead & {
  kind: 'reply';
  target: string;
  transfer: number;
  index: number;
  total: number;
} & Pick<CatchUp, 'floor' | 'entries'>;

/** A replica has gone; also sent by the broker as its last will. */
export type FarewellFrame = FrameHead & { kind: 'farewell' };

export type Frame = DeltaFrame | VectorFrame | RequestFrame | ReplyFrame | FarewellFrame;

/** Most chunks in one transfer, and most asked for at once. */
export const MAX_CHUNKS = 65_536;
export const CHUNK_WINDOW = 4;
export const MAX_SESSION = 0xffffffff;

/** A frame with short names, which only a replica that knows the long ones can read. */
export interface ShortFrame {
  kind: 'short';
  sender: string;
  /** What can be read of the context without the long names. */
  context: VersionVector;
  /**
   * The frame, once all names are known; of a vector what is known.
   *
   * @throws EdgeError `SYNC_INVALID` for what no replica sends.
   */
  expand(names: NameBook): DeltaFrame | VectorFrame | undefined;
  /** Roughly what it holds, in bytes. */
  bytes: number;
}

export type AnyFrame = Frame | ShortFrame;

export function invalidFrame(problem: string): EdgeError {
  return new EdgeError(
    'SYNC_INVALID',
    `A frame was refused: ${problem}. Check what is wired to the input, or who else publishes to this topic.`,
  );
}
