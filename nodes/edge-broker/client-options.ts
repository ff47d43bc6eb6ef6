import type { IClientOptions } from 'mqtt';
import type { BrokerLinkOptions } from '../shared/connections';
import type { BrokerConfig } from './config';

/** What a connection needs besides the broker's properties. */
export interface ClientSecrets {
  username?: string;
  password?: string;
  /** Identity of this machine, for the client id when none is configured. */
  machineId: string;
  /** Adds certificates, as the core `tls-config` node does. */
  addTls?: (options: object) => void;
}

/**
 * Options for one node's connection. The client id is the same after a restart, so that the broker keeps the
 * node's session, and differs by node unless the broker allows one client a device.
 */
export function clientOptions(
  config: BrokerConfig,
  secrets: ClientSecrets,
  link: BrokerLinkOptions,
): IClientOptions {
  const turn = (link.firstServer ?? 0) % config.servers.length;
  const servers = [...config.servers.slice(turn), ...config.servers.slice(0, turn)];
  const [first] = servers;
  const base = config.clientId || `edge-${secrets.machineId.slice(0, 8)}`;
  const options: IClientOptions = {
    protocol: first.protocol,
    servers: servers.map(({ protocol, host, port }) => ({ protocol, host, port })),
    clientId: config.shareClientId ? base : `${base}-${link.nodeId}`,
    protocolVersion: config.protocolVersion,
    keepalive: config.keepalive,
    clean: config.cleanStart,
    reconnectPeriod: 2000,
    // A broker that starts up, or whose users are being changed, refuses for a while; mqtt.js would give up for good.
    reconnectOnConnackError: true,
    connectTimeout: 10_000,
    resubscribe: false,
    queueQoSZero: false,
  };
  if (first.protocol.startsWith('ws')) {
    options.path = first.path;
  }
  if (config.protocolVersion === 5) {
    options.properties = { sessionExpiryInterval: config.cleanStart ? 0 : config.sessionExpiry };
  }
  if (secrets.username) {
    options.username = secrets.username;
  }
  if (secrets.password) {
    options.password = secrets.password;
  }
  secrets.addTls?.(options);
  const { properties, ...overrides } = link.mqtt ?? {};
  Object.assign(options, overrides);
  if (properties && config.protocolVersion === 5) {
    options.properties = { ...options.properties, ...properties };
  }
  return options;
}
