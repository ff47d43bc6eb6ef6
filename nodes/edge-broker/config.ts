import { refuseUserInfo } from '../shared/address';
import { ConfigReader } from '../shared/config-reader';
import { EdgeError } from '../shared/errors';

/** One server of a broker or of a broker cluster. */
export interface BrokerServer {
  protocol: 'mqtt' | 'mqtts' | 'ws' | 'wss';
  host: string;
  port: number;
  /** For WebSockets. */
  path: string;
}

/** Properties of an `edge-broker`; durations in seconds. */
export interface BrokerConfig {
  name: string;
  servers: BrokerServer[];
  /** Empty = made from this machine's gateway identity. */
  clientId: string;
  protocolVersion: 4 | 5;
  keepalive: number;
  cleanStart: boolean;
  sessionExpiry: number;
  /** Id of a core `tls-config` node. */
  tls: string;
  shareClientId: boolean;
}

const DEFAULT_PORTS = { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 } as const;

export function parseBrokerConfig(raw: unknown): BrokerConfig {
  const config = new ConfigReader(raw);
  const shareClientId = config.flag('shareClientId', false);
  const clientId = config.text('clientId');
  if (shareClientId && !clientId) {
    throw new EdgeError('CONFIG', 'Property "clientId" must be filled in when it is shared.', {
      property: 'clientId',
    });
  }
  return {
    name: config.text('name'),
    servers: parseServers(config.text('url')),
    clientId,
    protocolVersion: config.choice('protocolVersion', ['5', '4'], '5') === '5' ? 5 : 4,
    keepalive: config.number('keepalive', 15, { min: 0, max: 65535, integer: true }),
    cleanStart: config.flag('cleanStart', false),
    sessionExpiry: config.number('sessionExpiry', 86400, { min: 0, max: 0xffffffff, integer: true }),
    tls: config.text('tls'),
    shareClientId,
  };
}

/** Reads a comma-separated list of broker addresses; throws `CONFIG` naming the one that is wrong. */
export function parseServers(list: string): BrokerServer[] {
  const servers = list
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map(parseServer);
  if (servers.length === 0) {
    throw new EdgeError('CONFIG', 'Property "url" is empty. Enter an address such as mqtt://broker:1883.', {
      property: 'url',
    });
  }
  return servers;
}

function parseServer(address: string): BrokerServer {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const protocol = url?.protocol.slice(0, -1);
  if (!url?.hostname || !isProtocol(protocol)) {
    throw new EdgeError(
      'CONFIG',
      `Property "url": "${withoutPassword(address)}" is no broker address. Write it as mqtt://host:1883, mqtts://, ws:// or wss://.`,
      { property: 'url' },
    );
  }
  refuseUserInfo(url);
  return {
    protocol,
    host: url.hostname,
    port: url.port ? Number(url.port) : DEFAULT_PORTS[protocol],
    path: url.pathname,
  };
}

function isProtocol(name: string | undefined): name is BrokerServer['protocol'] {
  return name !== undefined && name in DEFAULT_PORTS;
}

function withoutPassword(address: string): string {
  return address.replace(/\/\/[^@/]*@/, '//…@');
}
