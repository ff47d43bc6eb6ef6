import type { Frame } from './frame';

/** Where a space's frames are published: `edge/state/<space>/…`. */
export function spacePrefix(space: string): string {
  return `edge/state/${space}/`;
}

/** The topic of a frame: `d/` and `vv/` with its sender, `req/` and `rep/` with the replica that it is meant for. */
export function frameTopic(space: string, frame: Frame): string {
  switch (frame.kind) {
    case 'delta':
      return topicOf(space, 'd', frame.sender);
    case 'vector':
    case 'farewell':
      return topicOf(space, 'vv', frame.sender);
    case 'request':
      return topicOf(space, 'req', frame.target);
    case 'reply':
      return topicOf(space, 'rep', frame.target);
  }
}

export function topicOf(space: string, branch: 'd' | 'vv' | 'req' | 'rep', replica: string): string {
  return `${spacePrefix(space)}${branch}/${encodeURIComponent(replica)}`;
}
