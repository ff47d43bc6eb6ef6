import type { NameBook, Shortener } from './frame';
import { NameTable } from './names';
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

  /** For writing frames to those who know what this replica knows, except for some new keys. */
  shortener(fresh: ReadonlySet<string>): Shortener {
    const { names } = this.replica;
    const ids = this.replicaIds();
    return {
      key: (text) => (fresh.has(text) ? undefined : names.shorten(text)),
      replica: (text) => ids.shorten(text),
    };
  }

  private replicaIds(): NameTable {
    const { context, id } = this.replica;
    const known = `${id} ${context.size}`;
    if (known !== this.known) {
      this.known = known;
      this.ids.add(id);
      for (const replica of context.keys()) {
        this.ids.add(replica);
      }
    }
    return this.ids;
  }
}
