import { EdgeError } from '../shared/errors';
import type { AnyFrame } from './frame';
import { gatewayOfReplica } from './replica';

/** What is known of a frame besides its content. */
export interface Arrival {
  /** It was kept for late comers: what it says holds, but its sender may be gone since. */
  kept?: boolean;
  /** This process sent it itself. */
  echo?: boolean;
}

/**
 * What to do about a frame that carries the replica's own identity. Unless it is an echo, the identity lives elsewhere
 * too: a copied disk. Whoever has told nothing new yet takes another one; the first of them therefore greets a
 * newcomer, while that one is still listening. What a listening one tells of itself was on the disk when it was copied,
 * which may be more than this session began with; only a delta or a reply shows that both have written under one
 * identity. An old frame of this replica's own that comes late looks like a double's, unless it brings news or greets.
 *
 * @param brought the own counter in the frame's context
 * @param base the own counter when this session began
 * @param quiet whether this replica has told nothing yet
 */
export function answerToDouble(
  frame: AnyFrame,
  { kept, echo }: Arrival,
  { brought, base, quiet }: { brought: number; base: number; quiet: boolean },
): 'renew' | 'greet' | 'nothing' {
  // A will may be that of the own connection before.
  if (kept === true || echo === true || frame.kind === 'farewell') {
    return 'nothing';
  }
  const { kind } = frame;
  const greets = kind === 'vector' && frame.hello;
  const isNews = brought > base;
  if (quiet) {
    return isNews || greets || kind !== 'vector' ? 'renew' : 'nothing';
  }
  if (isNews && (kind === 'delta' || kind === 'reply')) {
    return 'renew';
  }
  return isNews || greets ? 'greet' : 'nothing';
}

/** Whether a replica of the same gateway with another identity says that it has begun: a copy that knows it is one. */
export function isGreetingOfCopy(frame: AnyFrame, { kept, echo }: Arrival, own: string): boolean {
  const sentNow = kept !== true && echo !== true;
  const greets = frame.kind === 'vector' && frame.hello && frame.sender !== own;
  return sentNow && greets && gatewayOfReplica(frame.sender) === gatewayOfReplica(own);
}

/** What a person has to hear about a double. */
export function doubleProblem(gateway: string): EdgeError {
  return new EdgeError(
    'CONFIG',
    `A copy of gateway "${gateway}" runs elsewhere. Give it an id of its own: delete edge/gateway-id in its user folder, or change its edge-gateway.`,
    { gateway },
  );
}
