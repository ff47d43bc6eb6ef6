import type { Frame } from './frame';

/** A way to other replicas: it may lose, repeat and reorder what it carries. */
export interface Transport {
  /** Whether a frame that is sent now has a chance to arrive. */
  readonly connected: boolean;
  /** Publishes a frame to every replica of the space. */
  send(frame: Frame, topic: string, bytes: Buffer): void;
  close(): Promise<void>;
}

/** What a transport tells the replica. */
export interface TransportEvents {
  /**
   * A frame has arrived; whatever is wrong with it is the callee's to report.
   *
   * @param kept it was kept for late comers, and its sender may be gone since
   */
  frame(bytes: Uint8Array, kept: boolean): void;
  /** Frames can be sent from now on. */
  connected(): void;
}

/** Frames over the node's second output and its input: any transport that the user wires. */
export function wireTransport(emit: (topic: string, bytes: Buffer) => void): Transport {
  return {
    connected: true,
    send: (_frame, topic, bytes) => emit(topic, bytes),
    close: () => Promise.resolve(),
  };
}
