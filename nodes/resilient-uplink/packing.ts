import type { StoredMessage } from './outbox-port';

/** Messages whose bodies lie one behind the other in one buffer, which a thread can hand over without copying. */
export interface Packed<T> {
  heads: T[];
  lengths: number[];
  bodies: Uint8Array<ArrayBuffer>;
}

type WithBody = { body: Uint8Array };

export function pack<M extends WithBody, H>(messages: readonly M[], head: (message: M) => H): Packed<H> {
  const lengths = messages.map(({ body }) => body.byteLength);
  const bodies = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let offset = 0;
  for (const { body } of messages) {
    bodies.set(body, offset);
    offset += body.byteLength;
  }
  return { heads: messages.map(head), lengths, bodies };
}

/** The messages with views into the shared buffer as bodies. */
export function unpack<H extends object>({ heads, lengths, bodies }: Packed<H>): (H & WithBody)[] {
  let offset = 0;
  return heads.map((head, index) => {
    const body = bodies.subarray(offset, offset + lengths[index]);
    offset += lengths[index];
    return { ...head, body };
  });
}

export type StoredHead = Omit<StoredMessage, 'body' | 'origin'>;

/** Everything of a stored message but its body. */
export function storedHead(message: StoredMessage): StoredHead {
  const { sequence, priority, topic, kind, ttlMs, storedMs, storedAge, attempts, earlierRun } = message;
  return { sequence, priority, topic, kind, ttlMs, storedMs, storedAge, attempts, earlierRun };
}
