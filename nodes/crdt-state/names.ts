import { hash } from 'node:crypto';

/** A name that travels as the first 32 bits of its SHA-256, with the next 32 to check it by. */
export interface Name {
  readonly text: string;
  /** Signed, for engines keep such numbers without a box. */
  readonly ref: number;
  readonly check: number;
  /** Whether another name of its table has the same reference. */
  shared: boolean;
}

export function nameOf(text: string): Name {
  const digest = hash('sha256', text, 'buffer');
  return { text, ref: digest.readInt32BE(0), check: digest.readUInt32BE(4), shared: false };
}

/** Some names, to be found by text and by reference. */
export class NameTable<N extends Name = Name> {
  private readonly byText = new Map<string, N>();
  /** The name with a reference, or the several that share it. */
  private readonly byRef = new Map<number, N | N[]>();

  get size(): number {
    return this.byText.size;
  }

  get(text: string): N | undefined {
    return this.byText.get(text);
  }

  values(): IterableIterator<N> {
    return this.byText.values();
  }

  /** Adds a name unless there is one with its text. */
  add(name: N): void {
    if (!this.byText.has(name.text)) {
      this.byText.set(name.text, name);
      this.place(name.ref, [...this.with(name.ref), name]);
    }
  }

  remove(text: string): void {
    const name = this.byText.get(text);
    if (!name) {
      return;
    }
    this.byText.delete(text);
    this.place(
      name.ref,
      this.with(name.ref).filter((each) => each !== name),
    );
  }

  /** The name with this text; undefined when it is not known or shares its reference with another. */
  shorten(text: string): N | undefined {
    const name = this.byText.get(text);
    return name?.shared === false ? name : undefined;
  }

  /** The one name with this reference; undefined when there is none or several. */
  find(ref: number): N | undefined {
    const held = this.byRef.get(ref);
    return Array.isArray(held) ? undefined : held;
  }

  private with(ref: number): N[] {
    const held = this.byRef.get(ref);
    return held ? (Array.isArray(held) ? held : [held]) : [];
  }

  private place(ref: number, names: N[]): void {
    if (names.length === 0) {
      this.byRef.delete(ref);
      return;
    }
    for (const name of names) {
      name.shared = names.length > 1;
    }
    this.byRef.set(ref, names.length > 1 ? names : names[0]);
  }
}

/** Sums up the checks of the short names of a frame, in their order; 32 bits. */
export function foldCheck(sum: number, check: number): number {
  return (Math.imul(sum, 0x01000193) ^ check) >>> 0;
}
