import type { NodeAPI } from 'node-red';
import { EdgeError } from './errors';

interface TlsConfigNode {
  /** False when a file of it could not be read: it would then add nothing. */
  valid?: boolean;
  addTLSOptions(options: object): void;
}

/** What a core `tls-config` node adds to connection options; throws `CONFIG` when the id names no such node. */
export function tlsOf(RED: NodeAPI, id: string): (options: object) => void {
  if (!id) {
    return () => undefined;
  }
  const node: unknown = RED.nodes.getNode(id);
  if (!isTlsConfig(node)) {
    throw new EdgeError(
      'CONFIG',
      'Property "tls" names no TLS configuration that runs. Open the node and choose one.',
      {
        property: 'tls',
      },
    );
  }
  if (node.valid === false) {
    throw new EdgeError(
      'CONFIG',
      'Property "tls" names a TLS configuration whose certificate, key or CA cannot be read. Open it and correct them.',
      { property: 'tls' },
    );
  }
  return (options) => node.addTLSOptions(options);
}

function isTlsConfig(node: unknown): node is TlsConfigNode {
  return typeof node === 'object' && node !== null && 'addTLSOptions' in node;
}
