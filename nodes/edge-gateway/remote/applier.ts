import { EdgeError, toEdgeError } from '../../shared/errors';
import type { SettingsByNode } from '../../shared/remote-settings';
import type { Adjustment, StationEntry } from '../../shared/station';

type Settings = Readonly<Record<string, unknown>>;

interface Change {
  node: string;
  adjustment: Adjustment;
  before: Settings;
  after: Settings;
}

/**
 * Brings running nodes from the settings of one document to those of another: all of them, or none. Every setting is
 * checked before the first is applied; when a node refuses nevertheless, the ones before it go back.
 *
 * @param gatewayNode id of the gateway node; nodes that name another one are not its own
 * @throws EdgeError `REMOTE_NODE`, `REMOTE_SETTING`, or what a node has against its settings
 */
export async function applySettings(
  before: SettingsByNode,
  after: SettingsByNode,
  entries: readonly StationEntry[],
  gatewayNode: string,
): Promise<void> {
  const own = entries.filter(
    ({ adjustment }) => adjustment && ['', gatewayNode].includes(adjustment.gatewayNode),
  );
  for (const node of after.keys()) {
    if (!own.some(({ id, name }) => id === node || name === node)) {
      throw new EdgeError(
        'REMOTE_NODE',
        `"${node.slice(0, 100)}" is no id or name of a node that runs on this gateway and can be configured from remote.`,
      );
    }
  }
  const changes = own.flatMap((entry) => changeOf(entry, before, after));
  changes.forEach(check);
  const done: Change[] = [];
  for (const change of changes) {
    try {
      await change.adjustment.apply(change.after);
      done.push(change);
    } catch (thrown) {
      for (const { adjustment, before: earlier } of done.reverse()) {
        // What they ran with a moment ago; one that refuses it now keeps the new settings until the next deployment.
        await adjustment.apply(earlier).catch(() => undefined);
      }
      throw withNode(thrown, change.node);
    }
  }
}

/** By name and by id; what is set by id goes before. */
function settingsOf({ id, name }: StationEntry, byNode: SettingsByNode): Settings {
  return { ...(name ? byNode.get(name) : undefined), ...byNode.get(id) };
}

function changeOf(entry: StationEntry, before: SettingsByNode, after: SettingsByNode): Change[] {
  const earlier = settingsOf(entry, before);
  const wanted = settingsOf(entry, after);
  return entry.adjustment && JSON.stringify(earlier) !== JSON.stringify(wanted)
    ? [{ node: entry.name || entry.id, adjustment: entry.adjustment, before: earlier, after: wanted }]
    : [];
}

function check({ node, adjustment, after }: Change): void {
  const foreign = Object.keys(after).find((property) => !adjustment.properties.includes(property));
  if (foreign !== undefined) {
    throw new EdgeError(
      'REMOTE_SETTING',
      `"${foreign.slice(0, 100)}" of "${node}" cannot be set from remote; what can: ${adjustment.properties.join(', ')}.`,
    );
  }
  if (
    typeof after.model === 'string' &&
    !(typeof after.digest === 'string' && /^[0-9a-f]{64}$/i.test(after.digest))
  ) {
    throw new EdgeError(
      'REMOTE_SETTING',
      `"model" of "${node}" needs its "digest", the SHA-256 of the file that is meant.`,
    );
  }
  try {
    adjustment.check(after);
  } catch (thrown) {
    throw withNode(thrown, node);
  }
}

function withNode(thrown: unknown, node: string): EdgeError {
  const { code, message, details } = toEdgeError(thrown);
  return new EdgeError(code, `${node}: ${message}`, details);
}
