/**
 * Which messages are being worked on by nodes of the suite that take time over them: a model that runs in a thread, an
 * outbox that waits for the disk. Known by `_msgid`, which Node-RED keeps from node to node.
 */

/** A message that somebody wants to know the whereabouts of. */
export class FollowedMessage {
  /** How many nodes of the suite are working on it now. */
  holds = 0;
  /** Called whenever the last node that holds it has let go. */
  onRelease: (() => void) | undefined;

  constructor(readonly msgid: string) {}
}

const followed = new Map<string, FollowedMessage>();
let held = 0;
let lowered: (() => void)[] = [];

/** Follows a message that is about to be sent, until {@link unfollow}. */
export function follow(msgid: string): FollowedMessage {
  const message = new FollowedMessage(msgid);
  followed.set(msgid, message);
  return message;
}

export function unfollow(message: FollowedMessage): void {
  message.onRelease = undefined;
  if (followed.get(message.msgid) === message) {
    followed.delete(message.msgid);
  }
}

/** Notes that a node takes time over a message; returns what to call when it has let go. */
export function hold(msgid: string): () => void {
  held++;
  const message = followed.get(msgid);
  if (message) {
    message.holds++;
  }
  return () => {
    held--;
    if (lowered.length > 0) {
      const actions = lowered;
      lowered = [];
      actions.forEach((action) => action());
    }
    if (message && --message.holds === 0) {
      message.onRelease?.();
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
