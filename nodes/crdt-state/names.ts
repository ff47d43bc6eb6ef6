import { hash } from 'node:crypto';

/** A name for those who know the long one: the first 32 bits of its SHA-256, and the next 32 to check it by. */
export interface ShortName {
  ref: number;
  check: number;
}

export function shortName(text: string): ShortName {
  const digest = hash('sha256', text, 'buffer');
  return { ref: digest.readUInt32BE(0), check: digest.readUInt32BE(4) };
}

/** Some long names, to be found by their short ones. */
export class NameTable {
  private readonly byText = new Map<string, ShortName>();
  /** Nothing but one name each, or the several that share a reference. */
  private readonly byRef = new Map<number, string | Set<string>>();

  add(text: string): void {
    if (this.byText.has(text)) {
      return;
    }
    const short = shortName(text);
    this.byText.set(text, short);
    const held = this.byRef.get(short.ref);
    if (held === undefined) {
      this.byRef.set(short.ref, text);
    } else {
      this.byRef.set(short.ref, typeof held === 'string' ? new Set([held, text]) : held.add(text));
    }
  }

  remove(text: string): void {
    const short = this.byText.get(text);
    if (!short) {
      return;
    }
    this.byText.delete(text);
    const held = this.byRef.get(short.ref);
    if (held instanceof Set && held.size > 1) {
      held.delete(text);
    } else {
      this.byRef.delete(short.ref);
    }
  }

  /** The short name of a known one; undefined when it is not known or another known one has the same reference. */
  shorten(text: string): ShortName | undefined {
    const short = this.byText.get(text);
    return short && typeof this.byRef.get(short.ref) === 'string' ? short : undefined;
  }

  /** The one known name with this reference; undefined when there is none or several. */
  find(ref: number): string | undefined {
    const held = this.byRef.get(ref);
    return typeof held === 'string' ? held : undefined;
  }

  checkOf(text: string): number {
    return this.byText.get(text)?.check ?? 0;
  }
}

/** Sums up the checks of the short names of a frame, in their order; 32 bits. */
export function foldCheck(sum: number, check: number): number {
  return (Math.imul(sum, 0x01000193) ^ check) >>> 0;
}
