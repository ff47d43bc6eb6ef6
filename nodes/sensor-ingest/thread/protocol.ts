import type { IClientOptions } from 'mqtt';
import type { ReadingConfig } from '../config';
import type { PackedDeliveries } from './packing';

/** How the connection stands; `denied` when the broker refuses it, `refused` when it does not grant a subscription. */
export type LinkState = 'connecting' | 'listening' | 'disconnected' | 'denied' | 'refused';

/** Which payloads the node wants to see as they came: those of one topic, or all. */
export interface Wanted {
  topic: string | undefined;
  all: boolean;
}

/** What a reader is made of; structured-cloneable. */
export interface ReaderSettings {
  config: ReadingConfig;
  /** The broker's name, for what is reported. */
  broker: string;
  connection: IClientOptions;
  wanted: Wanted;
}

/** From the node to its reader in the thread. */
export type ReaderOrder =
  | { kind: 'open'; settings: ReaderSettings; batches: SharedArrayBuffer; ends: SharedArrayBuffer }
  /** Batches have been taken, or messages settled, of which the tallies say how many (tallies.ts). */
  | { kind: 'look' }
  /** After what its tally holds, the flow has lost one message; what is settled then is in another tally. */
  | { kind: 'lost'; ends: SharedArrayBuffer }
  /** The broker is to send again what was not acknowledged. */
  | { kind: 'sendAgain' }
  | { kind: 'publish'; topic: string; payload: Uint8Array }
  | { kind: 'want'; wanted: Wanted }
  /** Options for the next connection: a new credential. */
  | { kind: 'renew'; connection: Partial<IClientOptions> }
  /** Nothing more is to be read. */
  | { kind: 'stop' }
  /** The connection is to end. */
  | { kind: 'close' };

/** From the reader to its node. */
export type ReaderReport =
  | { kind: 'deliveries'; packed: PackedDeliveries }
  | { kind: 'state'; state: LinkState }
  | { kind: 'warning'; text: string }
  /** It could not be opened, as by a certificate that cannot be read. */
  | { kind: 'failed'; code: string; message: string }
  | { kind: 'closed' };

/** Several nodes share a thread; `reader` tells theirs apart. */
export interface Addressed<T> {
  reader: number;
  content: T;
}
