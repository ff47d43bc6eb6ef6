import type { NodeAPI } from 'node-red';
import { EdgeError } from './errors';

interface TlsConfigNode {
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
  return (options) => node.addTLSOptions(options);
}

function isTlsConfig(node: unknown): node is TlsConfigNode {
  return typeof node === 'object' && node !== null && 'addTLSOptions' in node;
}
