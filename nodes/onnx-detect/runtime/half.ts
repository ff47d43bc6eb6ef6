/** Half-precision floats (IEEE 754 binary16), whose arrays not every supported Node.js has. */

const scratch = new Float32Array(1);
const bits = new Uint32Array(scratch.buffer);

/** The bits of each value, rounded to nearest, ties to even. */
export function toHalf(values: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  return Uint16Array.from({ length: values.length }, (_, i) => halfBits(values[i]));
}

/** The values of half-precision bits, exactly. */
export function fromHalf(halves: Uint16Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(halves, halfValue);
}

function halfBits(value: number): number {
  scratch[0] = value;
  const float = bits[0];
  const sign = (float >>> 16) & 0x8000;
  const exponent = (float >>> 23) & 0xff;
  const fraction = float & 0x7fffff;
  if (exponent === 0xff) {
    return sign | 0x7c00 | (fraction ? 0x200 : 0);
  }
  const scaled = exponent - 112;
  if (scaled >= 31) {
    return sign | 0x7c00;
  }
  if (scaled <= 0) {
    // Below the smallest normal half: the fraction gets its hidden bit and moves right.
    return scaled < -10 ? sign : sign | rounded(fraction | 0x800000, 14 - scaled);
  }
  return sign + (scaled << 10) + rounded(fraction, 13);
}

function rounded(fraction: number, shift: number): number {
  const kept = fraction >>> shift;
  const rest = fraction & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0);
}

function halfValue(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) {
    return fraction ? NaN : sign * Infinity;
  }
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
