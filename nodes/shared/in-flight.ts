/**
 * Which messages are being worked on by nodes of the suite that take time over them: a model that runs in a thread, an
 * outbox that waits for the disk. Known by `_msgid`, which Node-RED keeps from node to node.
 */

interface Followed {
  holds: number;
  onRelease: (() => void) | undefined;
}

const followed = new Map<string, Followed>();
let held = 0;
let lowered: (() => void)[] = [];

/** A message that somebody wants to know the whereabouts of. */
export interface FollowedMessage {
  /** Whether a node of the suite is working on it now. */
  readonly held: boolean;
  /** Calls back once, when the last node that holds it has let go. */
  onRelease(action: () => void): void;
  /** Ends the interest. */
  forget(): void;
}

/** Follows a message that is about to be sent; end it with `forget`. */
export function follow(msgid: string): FollowedMessage {
  const entry: Followed = { holds: 0, onRelease: undefined };
  followed.set(msgid, entry);
  return {
    get held() {
      return entry.holds > 0;
    },
    onRelease(action) {
      entry.onRelease = action;
    },
    forget() {
      if (followed.get(msgid) === entry) {
        followed.delete(msgid);
      }
    },
  };
}

/** Notes that a node takes time over a message; returns what to call when it has let go. */
export function hold(msgid: string): () => void {
  held++;
  const entry = followed.get(msgid);
  if (entry) {
    entry.holds++;
  }
  return () => {
    held--;
    if (lowered.length > 0) {
      const actions = lowered;
      lowered = [];
      actions.forEach((action) => action());
    }
    if (entry && --entry.holds === 0 && entry.onRelease) {
      const action = entry.onRelease;
      entry.onRelease = undefined;
      action();
    }
  };
}

/** How many messages are held by all nodes of the suite together. */
export function heldMessages(): number {
  return held;
}

/** Calls back once, the next time that a node lets go of a message. */
export function onLowered(action: () => void): void {
  lowered.push(action);
}
