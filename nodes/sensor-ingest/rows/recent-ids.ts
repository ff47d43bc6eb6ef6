const FIRST_CAPACITY = 16;

/**
 * Remembers the last `capacity` ids by their 64-bit digests: 8 bytes an id and a hash table of 8 more, which grow with
 * use. An id is forgotten when `capacity` newer ones have come.
 */
export class RecentIds {
  private high: Uint32Array;
  private low: Uint32Array;
  /** Place in the ring + 1; 0 is empty. */
  private table: Uint32Array;
  private next = 0;
  private count = 0;

  constructor(private readonly capacity: number) {
    const first = Math.min(FIRST_CAPACITY, capacity);
    this.high = new Uint32Array(first);
    this.low = new Uint32Array(first);
    this.table = new Uint32Array(tableSize(first));
  }

  get size(): number {
    return this.count;
  }

  has(high: number, low: number): boolean {
    return this.table[this.slotOf(high, low)] !== 0;
  }

  /** Remembers an id, forgetting the oldest when there is no room. */
  add(high: number, low: number): void {
    if (this.capacity === 0 || this.has(high, low)) {
      return;
    }
    if (this.count === this.high.length && this.count < this.capacity) {
      this.grow();
    }
    if (this.count === this.high.length) {
      this.forget(this.next);
    } else {
      this.count++;
    }
    this.high[this.next] = high;
    this.low[this.next] = low;
    this.table[this.slotOf(high, low)] = this.next + 1;
    this.next = (this.next + 1) % this.high.length;
  }

  /** Forgets an id before its time, so that it can come again. */
  remove(high: number, low: number): void {
    const slot = this.slotOf(high, low);
    if (this.table[slot] !== 0) {
      this.empty(slot);
    }
  }

  private grow(): void {
    const size = Math.min(this.high.length * 4, this.capacity);
    const high = new Uint32Array(size);
    const low = new Uint32Array(size);
    // A ring is only grown when it has just been filled for the first time, so its order is its index.
    high.set(this.high);
    low.set(this.low);
    this.next = this.high.length;
    this.high = high;
    this.low = low;
    const { table } = this;
    this.table = new Uint32Array(tableSize(size));
    // Not all of the ring: what was removed must not come back.
    for (const place of table) {
      if (place !== 0) {
        this.table[this.slotOf(high[place - 1], low[place - 1])] = place;
      }
    }
  }

  /** The slot that holds an id, else the empty one where it belongs (linear probing). */
  private slotOf(high: number, low: number): number {
    const mask = this.table.length - 1;
    let slot = low & mask;
    for (let held = this.table[slot]; held !== 0; held = this.table[slot]) {
      if (this.low[held - 1] === low && this.high[held - 1] === high) {
        return slot;
      }
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  /** Unless it was removed, and perhaps came again, in the meantime. */
  private forget(index: number): void {
    const slot = this.slotOf(this.high[index], this.low[index]);
    if (this.table[slot] === index + 1) {
      this.empty(slot);
    }
  }

  /** Deletion with backward shift (Knuth, TAOCP 3, algorithm 6.4R): no tombstones, so the table never fills up. */
  private empty(emptied: number): void {
    const mask = this.table.length - 1;
    let hole = emptied;
    let slot = hole;
    for (;;) {
      slot = (slot + 1) & mask;
      const held = this.table[slot];
      if (held === 0) {
        break;
      }
      const home = this.low[held - 1] & mask;
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        this.table[hole] = held;
        hole = slot;
      }
    }
    this.table[hole] = 0;
  }
}

function tableSize(capacity: number): number {
  let size = 4;
  while (size < capacity * 2) {
    size *= 2;
  }
  return size;
}
