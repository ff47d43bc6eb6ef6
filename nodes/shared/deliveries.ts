import type { NodeAPI } from 'node-red';
import { followedBy, followPart, lose, type FollowedMessage } from './in-flight';

/** What Node-RED's hooks tell of a message; its types leave this open. */
interface Delivery {
  msg: { _msgid: string };
  destination: { id: string; node?: object };
}

let watched = false;
let deploying = false;
let waiting: (() => void)[] = [];

/**
 * Follows messages through the ordinary nodes of the flow: each step that they make, what a node makes of them at once
 * under an id of its own, as `split` does, and which of them a deployment loses. Call it once there is something to
 * follow, as it costs a little at every delivery.
 */
export function watchDeliveries({ hooks, events, nodes }: NodeAPI): void {
  if (watched) {
    return;
  }
  watched = true;
  const nodeOf = (id: string): unknown => nodes.getNode(id);
  /** The message that a node is being handed right now, and that node. */
  let current: FollowedMessage | undefined;
  let receiver: object | undefined;
  hooks.add('onReceive.edge-deliveries', ({ msg, destination }: Delivery) => {
    current = followedBy(msg._msgid);
    receiver = destination.node;
    current?.onMove?.();
    if (deploying && current && nodeOf(destination.id) !== destination.node) {
      lose(msg._msgid);
    }
  });
  hooks.add('postReceive.edge-deliveries', ({ destination }: Delivery) => {
    if (destination.node === receiver) {
      current = undefined;
    }
  });
  hooks.add('onSend.edge-deliveries', (sent: Delivery[]) => {
    for (const { msg, destination } of sent) {
      if (current) {
        followPart(current, msg._msgid);
      }
      if (deploying && !nodeOf(destination.id)) {
        lose(msg._msgid);
      }
    }
  });
  events.on('flows:stopping', () => {
    deploying = true;
  });
  events.on('flows:started', () => {
    deploying = false;
    const actions = waiting;
    waiting = [];
    actions.forEach((action) => action());
  });
}

/** Does something now, or after the deployment that is under way: until then nodes may be missing. */
export function afterDeployment(action: () => void): void {
  if (deploying) {
    waiting.push(action);
  } else {
    action();
  }
}
