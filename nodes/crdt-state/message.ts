import { EdgeError } from '../shared/errors';
import type { EdgeMessage } from '../shared/messages';
import type { KeyState } from './host';
import { assertKey, WRITES, type WriteOperation } from './operations';
import type { SharedReplica } from './shared-replica';
import { spacePrefix } from './topics';

/** What `crdt-state` adds to a message: `msg.state` of the contract. */
export interface StateInfo extends Partial<Pick<KeyState, 'exists' | 'siblings'>> {
  origin: 'local' | 'remote' | 'reply';
  operation: string;
  /** Keys that the peers have not acknowledged. */
  pending: number;
}

export interface StateMessage extends EdgeMessage {
  state?: StateInfo;
}

/**
 * Serves one message of the flow; resolves with what goes out, or with nothing for a frame or an operation that had
 * nothing to do. A change is on disk by then.
 *
 * @param by whoever asks, for telling its own changes from others'.
 * @throws EdgeError `OPERATION`, `STRATEGY`, `VALUE`, `STORE`, or for a frame one of `SYNC_…`.
 */
export async function serveMessage(
  shared: SharedReplica,
  space: string,
  by: object,
  msg: StateMessage,
): Promise<StateMessage | undefined> {
  const { host } = shared;
  const { topic, payload, operation: asked = 'set' } = msg as Partial<Record<string, unknown>>;
  const operation = typeof asked === 'string' ? asked : `(${typeof asked})`;
  if (payload instanceof Uint8Array && typeof topic === 'string' && topic.startsWith('edge/state/')) {
    if (!topic.startsWith(spacePrefix(space))) {
      throw new EdgeError(
        'SYNC_INVALID',
        `A frame of another space arrived (${topic}). Wire only edge/state/${space}/ here.`,
        { property: 'topic' },
      );
    }
    await shared.receive(payload);
    return undefined;
  }
  if (isWrite(operation)) {
    assertKey(topic);
    const state = await host.write(operation, topic, payload, by);
    return (
      state &&
      answer(msg, state.value, { ...facts(state), origin: 'local', operation, pending: host.pending })
    );
  }
  const reply = { origin: 'reply' as const, pending: host.pending };
  switch (operation) {
    case 'get': {
      assertKey(topic);
      const state = await host.get(topic);
      return answer(msg, state.value, { ...facts(state), ...reply, operation });
    }
    case 'keys':
      return answer(msg, await host.list(), { ...reply, operation });
    case 'snapshot':
      return answer(msg, await host.snapshot(), { ...reply, operation });
    case 'retire':
      await host.retire(payload);
      return answer(msg, payload, { ...reply, operation });
    default:
      throw new EdgeError(
        'OPERATION',
        `msg.operation "${operation}" is unknown. Use one of ${[...WRITES, 'get', 'keys', 'snapshot', 'retire'].join(', ')}.`,
        { property: 'operation' },
      );
  }
}

function isWrite(operation: string): operation is WriteOperation {
  return WRITES.some((known) => known === operation);
}

function facts({ exists, siblings }: KeyState): Pick<StateInfo, 'exists' | 'siblings'> {
  return siblings ? { exists, siblings } : { exists };
}

function answer(msg: StateMessage, payload: unknown, state: StateInfo): StateMessage {
  msg.payload = payload;
  msg.state = state;
  return msg;
}
