import { EdgeError } from '../shared/errors';
import { isReplicaId } from './limits';
import { gatewayOfReplica, type Replica } from './replica';
import { isReservedKey, RETIRED_PREFIX } from './reserved-keys';
import type { Siblings } from './sibling';

/**
 * The replicas that a person has declared departed. Nobody waits for them any more, and what a broker still keeps of
 * them makes no peer of them. Their writes and dots stay known for ever. One that comes back after all finds its id
 * in the list and goes on under another: so a retirement can never lose a write.
 */
export class Retirement {
  private readonly ids = new Set<string>();
  /** Keys that hold the lists. */
  size = 0;

  constructor(private readonly replica: Replica) {
    for (const [key] of replica.entries()) {
      this.changed(key);
    }
  }

  has(id: string): boolean {
    return this.ids.has(id);
  }

  /** Takes note of a committed key; whether it told of a retirement. */
  changed(key: string): boolean {
    if (!isReservedKey(key)) {
      return false;
    }
    this.size = countReserved(this.replica);
    const before = this.ids.size;
    readIds(this.replica.siblings(key)).forEach((id) => this.ids.add(id));
    return this.ids.size > before;
  }
}

/**
 * Retires every known replica of a gateway.
 *
 * @param known replica ids that were heard of besides those whose writes are known
 * @throws EdgeError `VALUE` for the own gateway, or one that was never heard of.
 */
export function retireGateway(replica: Replica, gateway: unknown, known: readonly string[]): string {
  const others = [...new Set([...replica.context.keys(), ...known])].filter(
    (id) => gatewayOfReplica(id) !== gatewayOfReplica(replica.id),
  );
  const ids = others.filter((id) => gatewayOfReplica(id) === gateway);
  if (ids.length === 0 || typeof gateway !== 'string') {
    const names = [...new Set(others.map(gatewayOfReplica))].sort().slice(0, 10).join(', ');
    throw new EdgeError(
      'VALUE',
      `msg.payload must be the gatewayId of another gateway that was heard in this space (${names || 'there is none yet'}).`,
      { property: 'payload' },
    );
  }
  const key = RETIRED_PREFIX + gateway;
  const all = [...new Set([...readIds(replica.siblings(key)), ...ids])].sort();
  replica.write(key, () => true, [JSON.stringify(all)]);
  return key;
}

/** The ids in a list, of concurrent ones together; anything else that somebody wrote there is passed over. */
function readIds(siblings: Siblings): string[] {
  return siblings.flatMap(({ text }) => {
    const value: unknown = text === null ? [] : JSON.parse(text);
    return Array.isArray(value) ? value.filter(isReplicaId) : [];
  });
}

function countReserved(replica: Replica): number {
  let count = 0;
  for (const [key, siblings] of replica.entries()) {
    count += isReservedKey(key) && siblings.some(({ text }) => text !== null) ? 1 : 0;
  }
  return count;
}
