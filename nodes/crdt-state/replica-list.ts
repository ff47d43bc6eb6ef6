import { invalidFrame as invalid, type NameBook, type Shortener } from './frame';
import { isReplicaId, MAX_COUNTER, MAX_ID_BYTES, MAX_REPLICAS } from './limits';
import { foldCheck } from './names';
import type { ReadonlyVector, VersionVector } from './version-vector';
import type { ByteReader, ByteWriter } from './wire-bytes';

/** Writes counters with their replicas, by short names where there are some. */
export function writeReplicas(writer: ByteWriter, vector: ReadonlyVector, short?: Shortener): void {
  let check = 0;
  writer.count(vector.size);
  for (const [id, counter] of vector) {
    const name = short?.replica(id);
    if (name) {
      writer.count(2 * counter + 1);
      writer.int32(name.ref);
      check = foldCheck(check, name.check);
    } else {
      writer.count(2 * counter);
      writer.text(id);
    }
  }
  writer.uint32(check);
}

/** Replicas with counters, some of them perhaps named shortly. */
export class ReplicaList {
  constructor(
    private readonly names: readonly (string | number)[],
    private readonly counters: readonly number[],
    private readonly check: number,
  ) {}

  get isShort(): boolean {
    return this.names.some((name) => typeof name === 'number');
  }

  get length(): number {
    return this.names.length;
  }

  counterAt(index: number): number {
    return this.counters[index];
  }

  /** Those with long names. */
  long(): VersionVector {
    return this.vector((name) => (typeof name === 'string' ? name : undefined));
  }

  /** Those that are known; none of the short ones when one is not, for then nothing can be checked. */
  known(names: NameBook): VersionVector {
    const ids = this.ids(names);
    return ids ? this.vector((_, index) => ids[index]) : this.long();
  }

  /** All ids in order; undefined when one is not known. */
  ids(names: NameBook): string[] | undefined {
    const ids: string[] = [];
    let check = 0;
    for (const name of this.names) {
      if (typeof name === 'string') {
        ids.push(name);
        continue;
      }
      const known = names.replica(name);
      if (!known) {
        return undefined;
      }
      check = foldCheck(check, known.check);
      ids.push(known.text);
    }
    return check === this.check ? ids : undefined;
  }

  private vector(idOf: (name: string | number, index: number) => string | undefined): VersionVector {
    const vector: VersionVector = new Map();
    this.names.forEach((name, index) => {
      const id = idOf(name, index);
      if (id !== undefined && this.counters[index] > 0) {
        vector.set(id, this.counters[index]);
      }
    });
    return vector;
  }
}

/** Throws EdgeError `SYNC_INVALID` or a RangeError for what no replica sends. */
export function readReplicas(reader: ByteReader): ReplicaList {
  const names: (string | number)[] = [];
  const counters: number[] = [];
  for (let count = reader.count(MAX_REPLICAS); count > 0; count--) {
    const head = reader.count(2 * MAX_COUNTER + 1);
    counters.push(Math.floor(head / 2));
    const name = head % 2 === 1 ? reader.int32() : reader.knownText(MAX_ID_BYTES);
    if (typeof name === 'string' && !isReplicaId(name)) {
      throw invalid('its replicas are not named rightly');
    }
    names.push(name);
  }
  if (new Set(names).size !== names.length) {
    throw invalid('it names a replica twice');
  }
  return new ReplicaList(names, counters, reader.uint32());
}
