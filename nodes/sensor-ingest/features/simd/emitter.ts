/**
 * Writes WebAssembly modules whose functions work on two doubles at a time (WebAssembly Core Specification 2.0, chapter 5):
 * what stands beside it needs, no more. An expression is the instructions that leave its value on the stack; what is
 * used more than once is kept in a local, or it would be worked out each time.
 */

const VECTOR = 0x7b;
const DOUBLE = 0x7c;
const INTEGER = 0x7f;

type Code = readonly number[];

/** Two doubles side by side. */
export class Pair {
  constructor(readonly code: Code) {}

  static of(value: number): Pair {
    const bytes = new Uint8Array(Float64Array.of(value, value).buffer);
    return new Pair([...vectorOp(0x0c), ...bytes]);
  }

  /** One of each of two pairs: place 0 or 1. */
  static pick(first: Pair, place: 0 | 1, second: Pair, otherPlace: 0 | 1): Pair {
    const lanes = [...doubleLanes(place), ...doubleLanes(2 + otherPlace)];
    return new Pair([...first.code, ...second.code, ...vectorOp(0x0d), ...lanes]);
  }

  plus(other: Pair): Pair {
    return this.with(other, 0xf0);
  }

  minus(other: Pair): Pair {
    return this.with(other, 0xf1);
  }

  times(other: Pair): Pair {
    return this.with(other, 0xf2);
  }

  /** Place by place `other < this ? other : this`. */
  orLess(other: Pair): Pair {
    return this.with(other, 0xf6);
  }

  /** Place by place `this < other ? other : this`. */
  orMore(other: Pair): Pair {
    return this.with(other, 0xf7);
  }

  magnitude(): Pair {
    return new Pair([...this.code, ...vectorOp(0xec)]);
  }

  reversed(): Pair {
    return Pair.pick(this, 1, this, 0);
  }

  private with(other: Pair, operation: number): Pair {
    return new Pair([...this.code, ...other.code, ...vectorOp(operation)]);
  }
}

/** A place in the memory, in bytes. */
export class Address {
  constructor(readonly code: Code) {}

  static of(bytes: number): Address {
    return new Address([0x41, ...signed(bytes)]);
  }

  plus(other: Address | number): Address {
    const { code } = typeof other === 'number' ? Address.of(other) : other;
    return new Address([...this.code, ...code, 0x6a]);
  }

  times(factor: number): Address {
    return new Address([...this.code, ...Address.of(factor).code, 0x6c]);
  }

  /** The two doubles from `offset` bytes behind this place on. */
  pair(offset = 0): Pair {
    return new Pair([...this.code, ...vectorOp(0x00), ...memoryArgument(offset)]);
  }

  /** Twice the double that lies `offset` bytes behind this place. */
  twice(offset = 0): Pair {
    return new Pair([...this.code, ...vectorOp(0x0a), ...memoryArgument(offset)]);
  }
}

/** A local that changes. */
export interface Variable<T> {
  readonly index: number;
  readonly value: T;
}

/** A function of doubles without a result: what it finds, it leaves in the memory. */
export class FunctionBuilder {
  private readonly locals: number[] = [];
  private readonly code: number[] = [];

  constructor(
    readonly name: string,
    readonly parameters: number,
  ) {}

  /** A parameter, twice. */
  argument(index: number): Pair {
    return this.keep(new Pair([0x20, ...unsigned(index), ...vectorOp(0x14)]));
  }

  /** Works a pair out once, here. */
  keep(pair: Pair): Pair {
    return this.variable(pair).value;
  }

  variable(first: Pair): Variable<Pair> {
    const index = this.local(VECTOR, first.code);
    return { index, value: new Pair([0x20, ...unsigned(index)]) };
  }

  pointer(first: Address): Variable<Address> {
    const index = this.local(INTEGER, first.code);
    return { index, value: new Address([0x20, ...unsigned(index)]) };
  }

  set(variable: Variable<unknown>, to: Pair | Address): void {
    this.code.push(...to.code, 0x21, ...unsigned(variable.index));
  }

  store(at: Address, offset: number, pair: Pair): void {
    this.code.push(...at.code, ...pair.code, ...vectorOp(0x0b), ...memoryArgument(offset));
  }

  /** Once for each place from `from` up to `to`, which lies behind it, `step` bytes apart. */
  each(from: Address, to: Address, step: number, body: (at: Address) => void): void {
    const at = this.pointer(from);
    this.code.push(0x03, 0x40);
    body(at.value);
    this.set(at, at.value.plus(step));
    this.code.push(...at.value.code, ...to.code, 0x49, 0x0d, 0, 0x0b);
  }

  type(): Code {
    return [0x60, ...vector(Array.from({ length: this.parameters }, () => [DOUBLE])), 0];
  }

  body(): Code {
    const content = [...vector(this.locals.map((type) => [1, type])), ...this.code, 0x0b];
    return [...unsigned(content.length), ...content];
  }

  private local(type: number, first: Code): number {
    const index = this.parameters + this.locals.length;
    this.locals.push(type);
    this.code.push(...first, 0x21, ...unsigned(index));
    return index;
  }
}

/** A module of functions over an imported memory of that many pages, which never become more: `import.memory`. */
export function moduleBytes(
  functions: readonly FunctionBuilder[],
  memoryPages: number,
): Uint8Array<ArrayBuffer> {
  const pages = unsigned(memoryPages);
  const memory = [...text('import'), ...text('memory'), 2, 1, ...pages, ...pages];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(
      1,
      functions.map((each) => each.type()),
    ),
    ...section(2, [memory]),
    ...section(
      3,
      functions.map((_, index) => unsigned(index)),
    ),
    ...section(
      7,
      functions.map(({ name }, index) => [...text(name), 0, ...unsigned(index)]),
    ),
    ...section(
      10,
      functions.map((each) => each.body()),
    ),
  ]);
}

function section(id: number, entries: readonly Code[]): Code {
  const content = vector(entries);
  return [id, ...unsigned(content.length), ...content];
}

function vector(entries: readonly Code[]): Code {
  return [...unsigned(entries.length), ...entries.flat()];
}

function text(ascii: string): Code {
  return vector(Array.from(ascii, (letter) => [letter.charCodeAt(0)]));
}

function vectorOp(operation: number): Code {
  return [0xfd, ...unsigned(operation)];
}

/** Places are multiples of eight bytes. */
function memoryArgument(offset: number): Code {
  return [3, ...unsigned(offset)];
}

function doubleLanes(place: number): Code {
  return Array.from({ length: 8 }, (_, byte) => 8 * place + byte);
}

/** Little-endian base 128. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): Code {
  return value >= -0x40 && value < 0x40 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
