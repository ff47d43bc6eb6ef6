import { EdgeError } from '../shared/errors';

/** A frame would go past the bounds on keys, siblings or replicas. */
export function frameOutgrowsBounds(): EdgeError {
  return new EdgeError(
    'SYNC_INVALID',
    'A frame was refused: with it this space would outgrow its bounds on keys, writes of a key or replicas.',
  );
}

/** The state of a peer would go past them. */
export function peerOutgrowsBounds(): EdgeError {
  return new EdgeError('SYNC_INVALID', 'A peer holds more than this space may: delete some keys there.');
}

/** A peer merges differently. */
export function strategiesDiffer(gateway: string): EdgeError {
  return new EdgeError(
    'STRATEGY',
    `Gateway "${gateway}" merges by another strategy or other rules. Give all nodes of this space the same ones.`,
    { gateway },
  );
}
