/** A source of randomness that cores are handed, so that every run can be repeated. */
export interface Random {
  /** Uniform in [0, 1) with 32 bits of randomness. */
  next(): number;
  /** Uniform integer in [0, bound); `bound` is a positive integer up to 2^32. */
  int(bound: number): number;
}

/** Hashes a string to 32 bits (FNV-1a), for seeds that are derived from names. */
export function hashString(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}

/**
 * sfc32 (Chris Doty-Humphrey, PractRand), seeded through splitmix32. Integer arithmetic only, so a seed
 * gives the same sequence on every machine.
 */
export class SeededRandom implements Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  /** @param seeds any integers; they are mixed in order, so `(seed, stream)` gives independent streams. */
  constructor(...seeds: number[]) {
    let state = 0x9e3779b9;
    const mix = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let z = state ^ (state >>> 16);
      z = Math.imul(z, 0x21f0aaad);
      z ^= z >>> 15;
      z = Math.imul(z, 0x735a2d97);
      return (z ^ (z >>> 15)) | 0;
    };
    for (const seed of seeds) {
      state = (mix() ^ seed) | 0;
    }
    this.a = mix();
    this.b = mix();
    this.c = mix();
    for (let i = 0; i < 12; i++) {
      this.bits();
    }
  }

  next(): number {
    return this.bits() / 0x100000000;
  }

  int(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  /** Standard normal deviate (Box–Muller). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    return radius * Math.cos(2 * Math.PI * this.next());
  }

  /** The generator's state, to carry on later with {@link SeededRandom.restore}. */
  snapshot(): [number, number, number, number] {
    return [this.a, this.b, this.c, this.counter];
  }

  restore(state: readonly [number, number, number, number]): void {
    [this.a, this.b, this.c, this.counter] = state;
  }

  private bits(): number {
    const sum = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum;
    this.c |= 0;
    return sum >>> 0;
  }
}

/** Unseeded randomness for jitter and identities. */
export const systemRandom: Random = {
  next: () => Math.random(),
  int: (bound) => Math.floor(Math.random() * bound),
};
