import { join } from 'node:path';
import { ConfigReader, invalidProperty } from '../shared/config-reader';
import { EdgeError } from '../shared/errors';
import { parseCrdtStateConfig, type CrdtStateConfig } from '../crdt-state/config';
import { parseBrokerConfig, type BrokerConfig } from '../edge-broker/config';

/** What a context store is told in settings.js. */
export interface ContextStoreConfig {
  replica: CrdtStateConfig;
  spaceKey: string;
  /** Empty = the one of the implicit default gateway. */
  gatewayId: string;
  dataDir: string;
  userDir: string;
  /** Absent = nothing is exchanged but with `crdt-state` nodes of the same gateway and space. */
  broker?: { config: BrokerConfig; username: string; password: string; tls: object };
}

const REPLICA = ['space', 'strategy', 'rules', 'flushMs', 'persist'];
const NAMES = [...REPLICA, 'spaceKey', 'gatewayId', 'dataDir', 'broker'];
/** What Node-RED adds. */
const ADDED = ['settings'];

/**
 * Reads the `config` of a context store.
 *
 * @throws EdgeError `CONFIG`
 */
export function parseContextStoreConfig(raw: unknown): ContextStoreConfig {
  const given = typeof raw === 'object' && raw !== null ? (raw as Record<string, unknown>) : {};
  const unknown = Object.keys(given).find((name) => ![...NAMES, ...ADDED].includes(name));
  if (unknown !== undefined) {
    throw new EdgeError(
      'CONFIG',
      `Property "${unknown}" of the context store is unknown. Use ${NAMES.join(', ')}.`,
      { property: unknown },
    );
  }
  const config = new ConfigReader(given);
  const userDir = new ConfigReader(given.settings).text('userDir', process.cwd());
  const replica = parseCrdtStateConfig({
    space: 'context',
    ...Object.fromEntries(REPLICA.flatMap((name) => (name in given ? [[name, given[name]]] : []))),
  });
  return {
    replica,
    spaceKey: config.text('spaceKey'),
    gatewayId: config.text('gatewayId'),
    dataDir: config.text('dataDir', join(userDir, 'edge')),
    userDir,
    ...(given.broker !== undefined && { broker: parseBroker(given.broker) }),
  };
}

function parseBroker(raw: unknown): ContextStoreConfig['broker'] {
  if (typeof raw !== 'object' || raw === null) {
    throw invalidProperty('broker', 'must be an object with a url');
  }
  const { tls } = raw as { tls?: unknown };
  if (tls !== undefined && (typeof tls !== 'object' || tls === null)) {
    throw invalidProperty('tls', 'must be an object such as { ca: fs.readFileSync("ca.pem") }');
  }
  const broker = new ConfigReader(raw);
  return {
    config: parseBrokerConfig({ ...raw, tls: undefined }),
    username: broker.text('username'),
    password: broker.text('password'),
    tls: tls ?? {},
  };
}
