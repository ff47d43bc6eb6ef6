/**
 * Which messages are under way through the flow, and being worked on by nodes of the suite that take time over them: a
 * model that runs in a thread, an outbox that waits for the disk. Known by `_msgid`, which Node-RED keeps from node to
 * node.
 */

/** A message that somebody wants to know the whereabouts of. */
export class FollowedMessage {
  /** How many nodes of the suite are working on it now. */
  holds = 0;
  /** Whether the node that it went to, or was at, was taken away by a deployment. */
  lost = false;
  /** Called whenever a node receives it, and when the last node that held it has let go. */
  onMove: (() => void) | undefined;
  /** The ids of the messages that nodes have made of it; undefined while there are none, as of most. */
  parts: string[] | undefined;

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
  message.onMove = undefined;
  forget(message, message.msgid);
  if (message.parts) {
    for (const msgid of message.parts) {
      forget(message, msgid);
    }
  }
}

function forget(message: FollowedMessage, msgid: string): void {
  if (followed.get(msgid) === message) {
    followed.delete(msgid);
  }
}

/** The message that somebody follows under this id. */
export function followedBy(msgid: string): FollowedMessage | undefined {
  return followed.get(msgid);
}

/** Follows what a node has made of a message as well. */
export function followPart(message: FollowedMessage, msgid: string): void {
  if (!followed.has(msgid)) {
    followed.set(msgid, message);
    message.parts ??= [];
    message.parts.push(msgid);
  }
}

/** Notes that a deployment took away the node that a message went to, or was at. */
export function lose(msgid: string): void {
  const message = followed.get(msgid);
  if (message) {
    message.lost = true;
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
      message.onMove?.();
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
