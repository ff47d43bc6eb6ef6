import type { IClientOptions, MqttClient } from 'mqtt';
import type { NodeAPI } from 'node-red';
import { EdgeError } from './errors';

/** How a node wants its own connection to a broker. */
export interface BrokerLinkOptions {
  /** The node that connects; it makes the client id unless the broker shares one. */
  nodeId: string;
  /** Which server of a cluster to begin with, counted from 0 and round again; for whoever reconnects by itself. */
  firstServer?: number;
  /** Overrides such as `will`, `reconnectPeriod`, `clean`, `properties` or `customHandleAcks`. */
  mqtt?: Partial<IClientOptions>;
}

/** A config node of type `edge-broker`: connection settings that every user opens its own connection with. */
export interface Broker {
  kind: 'broker';
  id: string;
  name: string;
  protocolVersion: 4 | 5;
  /** How long a connection may last before it begins anew with a new credential, for whoever can do that without loss. */
  renewAfterMs?: number;
  /** The highest quality of service that it takes, where that is known before connecting. */
  maxQos?: 1;
  /** Opens a connection; the caller owns it, listens to `error` and ends it. */
  connect(options: BrokerLinkOptions): MqttClient;
}

/** One that can also be connected to from a thread. */
export interface BrokerSettings extends Broker {
  /** What `connect` would open a connection with now; structured-cloneable unless `mqtt` is not. */
  connectionOptions(options: BrokerLinkOptions): IClientOptions;
}

/** What an HTTP destination answered; `retryAfterMs` when it said how long to wait. */
export interface HttpReply {
  status: number;
  /** Whether it answered so for the client's certificate. */
  certificateRefused?: true;
  retryAfterMs?: number;
}

/** A config node of type `edge-http`. */
export interface HttpDestination {
  kind: 'http';
  id: string;
  name: string;
  /** Sends one request; rejects when no answer arrived (refused, reset, timed out). */
  send(body: Uint8Array, headers: Record<string, string>, signal?: AbortSignal): Promise<HttpReply>;
}

export type Connection = Broker | HttpDestination;

/** Looks up an `edge-broker` or `edge-http` node; `CONFIG` when there is none. */
export function connectionOf(RED: NodeAPI, id: string, property: string): Connection {
  const node: unknown = id ? RED.nodes.getNode(id) : undefined;
  if (typeof node === 'object' && node !== null && 'connection' in node) {
    return (node as { connection: Connection }).connection;
  }
  throw new EdgeError(
    'CONFIG',
    `Property "${property}" names no edge-broker or edge-http node that runs. Open the node and choose one.`,
    { property },
  );
}

/** Looks up an `edge-broker`; `CONFIG` when there is none or it is another kind. */
export function brokerOf(RED: NodeAPI, id: string, property = 'broker'): BrokerSettings {
  const connection = connectionOf(RED, id, property);
  if (connection.kind !== 'broker') {
    throw new EdgeError('CONFIG', `Property "${property}" must be an edge-broker.`, { property });
  }
  // Only an `edge-broker` offers one.
  return connection as BrokerSettings;
}

/** Looks up an `edge-http`; `CONFIG` when there is none or it is another kind. */
export function httpOf(RED: NodeAPI, id: string, property: string): HttpDestination {
  const connection = connectionOf(RED, id, property);
  if (connection.kind !== 'http') {
    throw new EdgeError('CONFIG', `Property "${property}" must be an edge-http.`, { property });
  }
  return connection;
}
