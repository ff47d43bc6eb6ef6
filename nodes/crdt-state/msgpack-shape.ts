const MAX_DEPTH = 4;

/**
 * Whether bytes are one MessagePack value of arrays, integers, floats, strings, booleans and nil, nested at most four
 * deep, with no length that the bytes cannot hold. Checked before a decoder sees them: decoders set arrays up in
 * the length that is announced, so that a few forged bytes could ask for gigabytes.
 */
export function isPlainMsgpack(bytes: Uint8Array): boolean {
  return skip(bytes, 0, MAX_DEPTH) === bytes.length;
}

/** The offset behind the value at `at`, or -1 when it is not allowed. */
function skip(bytes: Uint8Array, at: number, depth: number): number {
  if (at < 0 || at >= bytes.length) {
    return -1;
  }
  const type = bytes[at];
  if (type <= 0x7f || type >= 0xe0) {
    return at + 1;
  }
  if (type >= 0x90 && type <= 0x9f) {
    return skipItems(bytes, at + 1, type & 0x0f, depth);
  }
  if (type >= 0xa0 && type <= 0xbf) {
    return at + 1 + (type & 0x1f);
  }
  switch (type) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return at + 1;
    case 0xcc: // uint 8
    case 0xd0: // int 8
      return at + 2;
    case 0xcd: // uint 16
    case 0xd1: // int 16
      return at + 3;
    case 0xca: // float 32
    case 0xce: // uint 32
    case 0xd2: // int 32
      return at + 5;
    case 0xcb: // float 64
      return at + 9;
    case 0xd9: // str 8
      return at + 2 + length(bytes, at + 1, 1);
    case 0xda: // str 16
      return at + 3 + length(bytes, at + 1, 2);
    case 0xdb: // str 32
      return at + 5 + length(bytes, at + 1, 4);
    case 0xdc: // array 16
      return skipItems(bytes, at + 3, length(bytes, at + 1, 2), depth);
    case 0xdd: // array 32
      return skipItems(bytes, at + 5, length(bytes, at + 1, 4), depth);
    default:
      return -1;
  }
}

function skipItems(bytes: Uint8Array, start: number, count: number, depth: number): number {
  if (depth === 0 || count > bytes.length - start) {
    return -1;
  }
  let at = start;
  for (let i = 0; i < count && at >= 0; i++) {
    at = skip(bytes, at, depth - 1);
  }
  return at;
}

function length(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let i = 0; i < width; i++) {
    value = value * 256 + (at + i < bytes.length ? bytes[at + i] : 0xff);
  }
  return value;
}
