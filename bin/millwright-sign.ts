#!/usr/bin/env node
/** Makes keys and signs documents for the remote configuration of gateways. */
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const USAGE = `Signs documents that configure gateways from remote.

  millwright-sign keys <private-key.pem>
      makes a key pair: the private key goes to the file, which must not exist yet; the public key,
      for "remoteKey" of the edge-gateway, is printed
  millwright-sign sign <private-key.pem> <document.json>
      prints what to publish, retained, to edge/gateway/<gateway id>/config/desired

A document: {"version": 1, "gateway": "<gateway id, or *>", "settings": {"<node id or name>": {"<property>": value}}}`;

function makeKeys(file: string): void {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
  process.stdout.write(publicKey.export({ type: 'spki', format: 'pem' }));
}

function signDocument(keyFile: string, documentFile: string): void {
  // Written anew: what is signed is this text, not the file's white space.
  const document = JSON.stringify(JSON.parse(readFileSync(documentFile, 'utf8')));
  const signature = sign(null, Buffer.from(document), createPrivateKey(readFileSync(keyFile)));
  process.stdout.write(`${JSON.stringify({ document, signature: signature.toString('base64') })}\n`);
}

function main([command, keyFile, documentFile]: readonly string[]): number {
  try {
    if (command === 'keys' && keyFile) {
      makeKeys(keyFile);
      return 0;
    }
    if (command === 'sign' && keyFile && documentFile) {
      signDocument(keyFile, documentFile);
      return 0;
    }
  } catch (thrown) {
    process.stderr.write(`millwright-sign: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
    return 1;
  }
  process.stderr.write(`${USAGE}\n`);
  return 2;
}

process.exitCode = main(process.argv.slice(2));
