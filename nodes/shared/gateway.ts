import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeAPI } from 'node-red';
import { EdgeError } from './errors';

/** Who this gateway is and where its data lies. */
export interface Gateway {
  /** Id of the config node; empty for the implicit default gateway. */
  nodeId: string;
  gatewayId: string;
  name: string;
  site: string;
  dataDir: string;
}

/** A config node that carries a {@link Gateway}. */
export interface GatewayNode {
  gateway: Gateway;
}

/**
 * The gateway behind a config node, or with no id the implicit default one, which lives in `<userDir>/edge`.
 * Reads or creates the identity file, so call it when a node starts, not for each message.
 *
 * @throws EdgeError `CONFIG` when the config node does not run: with another identity and data folder, what is stored
 * would be out of sight.
 */
export function gatewayOf(RED: NodeAPI, configNodeId: string): Gateway {
  const node: unknown = configNodeId ? RED.nodes.getNode(configNodeId) : undefined;
  if (isGatewayNode(node)) {
    return node.gateway;
  }
  if (configNodeId) {
    throw new EdgeError(
      'CONFIG',
      'Property "gateway" names no edge-gateway node that runs. Open the node and choose one, or correct that one.',
      { property: 'gateway' },
    );
  }
  const dataDir = defaultDataDir(RED);
  return { nodeId: '', gatewayId: persistentId(dataDir, 'gateway-id'), name: '', site: '', dataDir };
}

export function defaultDataDir(RED: NodeAPI): string {
  return join(RED.settings.userDir ?? process.cwd(), 'edge');
}

/** Reads a UUID from a file in the data folder, making it on first use. */
export function persistentId(dataDir: string, file: string): string {
  const path = join(dataDir, file);
  try {
    const id = readFileSync(path, 'utf8').trim();
    if (id) {
      return id;
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) {
      throw error;
    }
  }
  mkdirSync(dataDir, { recursive: true });
  const id = randomUUID();
  writeFileSync(path, `${id}\n`, { flush: true });
  return id;
}

function isGatewayNode(node: unknown): node is GatewayNode {
  return typeof node === 'object' && node !== null && 'gateway' in node;
}
