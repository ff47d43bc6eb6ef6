import type { NameBook, Shortener } from './frame';
import { NameTable, nameOf, type Name } from './names';
import type { Replica } from './replica';

/** The long names that a replica knows, of keys and of replicas, and what of them travels shortened. */
export class ReplicaNames {
  private readonly ids = new NameTable();
  private known = '';

  constructor(private readonly replica: Replica) {}

  /** For reading frames. */
  get book(): NameBook {
    const { names } = this.replica;
    const ids = this.replicaIds();
    return {
      key: (ref) => names.find(ref),
      replica: (ref) => ids.find(ref),
    };
  }

  /**
   * For writing frames to those who know what this replica knows.
   *
   * @param keys of a delta's entries, where they are known by a short name
   */
  shortener(keys: readonly (Name | undefined)[]): Shortener {
    const ids = this.replicaIds();
    return {
      key: (_, index) => keys[index],
      replica: (text) => ids.shorten(text),
    };
  }

  private replicaIds(): NameTable {
    const { context, id } = this.replica;
    const known = `${id} ${context.size}`;
    if (known !== this.known) {
      this.known = known;
      this.ids.add(nameOf(id));
      for (const replica of context.keys()) {
        this.ids.add(nameOf(replica));
      }
    }
    return this.ids;
  }
}
