import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { EdgeError, toEdgeError } from '../../shared/errors';
import type { SettingsByNode } from '../../shared/remote-settings';

/** Settings that somebody who holds the private key wants this gateway to run with. */
export interface RemoteDocument {
  /** Rises with every document. */
  version: number;
  settings: SettingsByNode;
  /** What was signed, as it came. */
  text: string;
}

export interface DocumentRules {
  publicKey: KeyObject;
  gatewayId: string;
  /** Version of the document in force; 0 when there is none. */
  version: number;
  /** Ms since the epoch. */
  now: number;
}

const MAX_BYTES = 64 * 1024;
const MAX_NODES = 1000;
const PUBLIC_KEY_BYTES = 32;
/** What stands before the 32 bytes of an Ed25519 key in DER (RFC 8410). */
const DER_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const EVERY_GATEWAY = '*';

/**
 * Reads an Ed25519 public key: PEM, or the 32 bytes in base64.
 *
 * @throws EdgeError `CONFIG`
 */
export function parsePublicKey(text: string): KeyObject {
  try {
    const bytes = Buffer.from(text, 'base64');
    const key = text.includes('BEGIN')
      ? createPublicKey(text)
      : createPublicKey({ key: Buffer.concat([DER_PREFIX, bytes]), format: 'der', type: 'spki' });
    if (
      key.asymmetricKeyType === 'ed25519' &&
      (text.includes('BEGIN') || bytes.length === PUBLIC_KEY_BYTES)
    ) {
      return key;
    }
  } catch {
    // Told below.
  }
  throw new EdgeError(
    'CONFIG',
    'Property "remoteKey" is no Ed25519 public key. Paste the PEM that "npx millwright-sign keys" prints, or its 32 bytes in base64.',
    { property: 'remoteKey' },
  );
}

/**
 * Reads `{"document": "<JSON as text>", "signature": "<base64>"}`. The signature is Ed25519 (RFC 8032) over the text's
 * UTF-8 bytes: signing the text itself needs no canonical form of JSON. The document is
 * `{version, gateway, settings: {"<node id or name>": {property: value}}, expires?}`; `gateway` is the gateway's id or
 * `*`, `expires` in ms since the epoch.
 *
 * @throws EdgeError `REMOTE_FORMAT`, `REMOTE_SIGNATURE`, `REMOTE_GATEWAY`, `REMOTE_EXPIRED`, `REMOTE_VERSION`
 */
export function openDocument(bytes: Uint8Array, rules: DocumentRules): RemoteDocument {
  if (bytes.byteLength > MAX_BYTES) {
    throw new EdgeError('REMOTE_FORMAT', `The document has over ${MAX_BYTES} bytes. Set less at a time.`);
  }
  const { document: text, signature } = objectOf(Buffer.from(bytes).toString());
  if (typeof text !== 'string' || typeof signature !== 'string') {
    throw malformed('it must be {"document": "…", "signature": "…"}; sign it with "npx millwright-sign"');
  }
  if (!verify(null, Buffer.from(text), rules.publicKey, Buffer.from(signature, 'base64'))) {
    throw new EdgeError(
      'REMOTE_SIGNATURE',
      'The signature does not fit the document and the gateway\'s "remoteKey". Sign it with the key that belongs to it.',
    );
  }
  const { version, gateway, settings, expires } = objectOf(text);
  if (!Number.isSafeInteger(version) || (version as number) < 1) {
    throw malformed('"version" must be a whole number from 1 on');
  }
  if (gateway !== rules.gatewayId && gateway !== EVERY_GATEWAY) {
    throw new EdgeError('REMOTE_GATEWAY', `The document is for another gateway than "${rules.gatewayId}".`);
  }
  if (expires !== undefined && (typeof expires !== 'number' || expires < rules.now)) {
    throw new EdgeError('REMOTE_EXPIRED', 'The document has expired. Sign a new one.');
  }
  if ((version as number) < rules.version) {
    throw new EdgeError(
      'REMOTE_VERSION',
      `Version ${String(version)} is older than ${rules.version}, which is in force. Give the document a higher version.`,
    );
  }
  return { version: version as number, settings: settingsOf(settings), text };
}

function settingsOf(settings: unknown): SettingsByNode {
  if (!isObject(settings) || Object.keys(settings).length > MAX_NODES) {
    throw malformed(`"settings" must be an object of at most ${MAX_NODES} nodes`);
  }
  return new Map(
    Object.entries(settings).map(([node, properties]) => {
      if (!isObject(properties)) {
        throw malformed(`the settings of "${node.slice(0, 100)}" must be an object`);
      }
      return [node, properties];
    }),
  );
}

function objectOf(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw malformed(`it is no JSON: ${toEdgeError(thrown).message}`);
  }
  if (!isObject(value)) {
    throw malformed('it must be an object');
  }
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(problem: string): EdgeError {
  return new EdgeError('REMOTE_FORMAT', `The document cannot be read: ${problem}.`);
}
