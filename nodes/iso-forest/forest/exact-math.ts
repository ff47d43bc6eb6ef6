/**
 * Powers and logarithms from IEEE additions, multiplications and divisions alone. `Math.pow` and `Math.log` may differ
 * in the last bit between engines; a forest's scores and thresholds may not.
 */

const LN2 = 0.6931471805599453;
const EXP_TERMS = 16;
const LOG_TERMS = 16;

/** e^x; accurate to about 1e-15 relative, 0 and Infinity beyond the range of doubles. */
export function exp(x: number): number {
  if (!(x > -745)) {
    return x !== x ? NaN : 0;
  }
  if (x > 709) {
    return Infinity;
  }
  const halvings = Math.round(x / LN2);
  const rest = x - halvings * LN2;
  let sum = 1;
  for (let term = EXP_TERMS; term > 0; term--) {
    sum = 1 + (rest / term) * sum;
  }
  return sum * powerOfTwo(halvings);
}

/** 2^x. */
export function exp2(x: number): number {
  return exp(x * LN2);
}

/** Natural logarithm of a positive finite number; accurate to about 1e-15. */
export function log(x: number): number {
  if (!(x > 0) || x === Infinity) {
    return x === 0 ? -Infinity : x === Infinity ? Infinity : NaN;
  }
  let exponent = 0;
  let mantissa = x;
  while (mantissa > 1.4142135623730951) {
    mantissa /= 2;
    exponent++;
  }
  while (mantissa < 0.7071067811865476) {
    mantissa *= 2;
    exponent--;
  }
  const ratio = (mantissa - 1) / (mantissa + 1);
  const square = ratio * ratio;
  let sum = 0;
  for (let term = LOG_TERMS; term >= 0; term--) {
    sum = sum * square + 1 / (2 * term + 1);
  }
  return exponent * LN2 + 2 * ratio * sum;
}

/** The smallest k with 2^k >= n, for a positive integer n. */
export function ceilLog2(n: number): number {
  return n <= 1 ? 0 : 32 - Math.clz32(n - 1);
}

function powerOfTwo(exponent: number): number {
  let value = 1;
  const factor = exponent < 0 ? 0.5 : 2;
  for (let step = Math.abs(exponent); step > 0; step--) {
    value *= factor;
  }
  return value;
}
