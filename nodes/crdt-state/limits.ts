/** Bounds that hold for the own flow and for every frame, whoever sent it. */
export const MAX_KEYS = 100_000;
/** Longest key, in bytes of UTF-8. */
export const MAX_KEY_BYTES = 1024;
/** Siblings of one key: concurrent writes, replicas that count, elements of a set. */
export const MAX_SIBLINGS = 10_000;
export const MAX_REPLICAS = 1024;
/** Longest replica id, in bytes of UTF-8. */
export const MAX_ID_BYTES = 800;
/** Largest write counter; at a thousand writes a second it lasts for 8,900 years. */
export const MAX_COUNTER = 2 ** 48;
export const MAX_FRAME_BYTES = 4 * 1024 * 1024;

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Whether a text can name a key: what UTF-8 cannot carry would arrive elsewhere as another key. */
export function isKey(key: unknown): key is string {
  if (typeof key !== 'string' || key === '' || key.length > MAX_KEY_BYTES) {
    return false;
  }
  for (let at = 0; at < key.length; at++) {
    const code = key.charCodeAt(at);
    if (code === 0 || code > 0x7f) {
      return isWideKey(key);
    }
  }
  return true;
}

function isWideKey(key: string): boolean {
  return !LONE_SURROGATE.test(key) && !key.includes('\u0000') && Buffer.byteLength(key) <= MAX_KEY_BYTES;
}

/** Whether a text is a replica id: a gateway id, a dot and twelve hexadecimal digits. */
export function isReplicaId(id: unknown): id is string {
  return (
    typeof id === 'string' &&
    id.length <= 200 &&
    !LONE_SURROGATE.test(id) &&
    /^[^\0]+\.[0-9a-f]{12}$/.test(id)
  );
}
