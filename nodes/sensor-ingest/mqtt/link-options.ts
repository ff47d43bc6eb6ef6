import { Store, type IClientOptions } from 'mqtt';

/** Messages that the broker may have under way to this node without an acknowledgement. */
const RECEIVE_MAXIMUM = 100;

/** How the direct source wants its connection; structured-cloneable. */
export function linkOptions(maxBytes: number): Partial<IClientOptions> {
  return {
    properties: {
      receiveMaximum: RECEIVE_MAXIMUM,
      // Somewhat above the limit, so that a reading that is too large is reported and a flood is not even received.
      maximumPacketSize: Math.min(4 * maxBytes + 65_536, 0xfffffff),
    },
  };
}

/** A client that closes still answers: what the broker sends while the connection ends is looked up in its store. */
export function newIncomingStore(): Store {
  return new Store({ clean: false });
}
