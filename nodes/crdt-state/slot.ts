import { nameOf, type Name } from './names';
import { isReservedKey } from './reserved-keys';
import { NO_SIBLINGS, type Siblings } from './sibling';

/**
 * One key of a replica and all that is noted about it, in one place: every step of an update would have to look up
 * the key again otherwise, and looking up takes longer than the rest of the step.
 */
export class Slot implements Name {
  readonly text: string;
  readonly ref: number;
  readonly check: number;
  shared = false;
  /** Whether the key is the nodes' own. */
  readonly reserved: boolean;
  siblings: Siblings = NO_SIBLINGS;
  /** What it held before the turn, of the slots that this turn has changed. */
  before: Siblings | undefined = undefined;
  /** Written when nothing was known of the key, and not told since: others do not know its short name. */
  created = false;
  /** No delta has told its latest own write yet. */
  unsent = false;
  /** Its latest own write while some peer has not acknowledged it, else 0. */
  pending = 0;

  constructor(key: string) {
    const { text, ref, check } = nameOf(key);
    this.text = text;
    this.ref = ref;
    this.check = check;
    this.reserved = isReservedKey(key);
  }
}
