import assert from 'node:assert/strict';
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { openDocument, parsePublicKey } from '../../../nodes/edge-gateway/remote/document';
import { EdgeError } from '../../../nodes/shared/errors';

const own = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ed25519');
const NOW = Date.UTC(2026, 0, 1);

function signed(document: unknown, key: KeyObject = own.privateKey): Buffer {
  const text = JSON.stringify(document);
  return Buffer.from(
    JSON.stringify({ document: text, signature: sign(null, Buffer.from(text), key).toString('base64') }),
  );
}

function open(bytes: Buffer, version = 0): ReturnType<typeof openDocument> {
  return openDocument(bytes, { publicKey: own.publicKey, gatewayId: 'gw-1', version, now: NOW });
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (thrown) {
    assert.ok(thrown instanceof EdgeError);
    return thrown.code;
  }
  return 'taken';
}

const GOOD = { version: 3, gateway: 'gw-1', settings: { forest: { alarmRate: 0.001 } } };

test('a document that is signed with the right key is taken', () => {
  const { version, settings } = open(signed(GOOD), 2);
  assert.equal(version, 3);
  assert.deepEqual(settings.get('forest'), { alarmRate: 0.001 });
  assert.equal(open(signed({ ...GOOD, gateway: '*' })).version, 3);
});

test('nobody without the key can change anything: every single flipped bit is refused', () => {
  assert.equal(
    codeOf(() => open(signed(GOOD, stranger.privateKey))),
    'REMOTE_SIGNATURE',
  );
  const bytes = signed(GOOD);
  for (let place = 0; place < bytes.length; place++) {
    const forged = Buffer.from(bytes);
    forged[place] ^= 1;
    // White space and the unused bits at the end of base64 carry nothing.
    const result = codeOf(() => open(forged));
    if (result === 'taken') {
      assert.deepEqual(open(forged).text, open(bytes).text, `byte ${place}`);
    }
  }
});

test('older versions, other gateways and late documents are refused', () => {
  assert.equal(
    codeOf(() => open(signed(GOOD), 4)),
    'REMOTE_VERSION',
  );
  assert.equal(
    codeOf(() => open(signed({ ...GOOD, gateway: 'gw-2' }))),
    'REMOTE_GATEWAY',
  );
  assert.equal(
    codeOf(() => open(signed({ ...GOOD, expires: NOW - 1 }))),
    'REMOTE_EXPIRED',
  );
  assert.equal(
    codeOf(() => open(signed({ ...GOOD, expires: NOW + 1 }))),
    'taken',
  );
});

test('what is no document is refused, whatever it is', () => {
  const nonsense = [
    ...['', 'null', '[]', '{}', '{"document":1,"signature":"a"}'].map((text) => Buffer.from(text)),
    signed(null),
    signed({ ...GOOD, version: 0 }),
    signed({ ...GOOD, version: 1.5 }),
    signed({ ...GOOD, settings: [] }),
    signed({ ...GOOD, settings: { forest: 1 } }),
    Buffer.alloc(100_000, ' '),
  ];
  for (const bytes of nonsense) {
    assert.equal(
      codeOf(() => open(bytes)),
      'REMOTE_FORMAT',
      bytes.toString().slice(0, 60),
    );
  }
});

test('a public key is read as PEM and as 32 bytes in base64; anything else says what to do', () => {
  const pem = own.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const raw = own.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64');
  for (const text of [pem, raw]) {
    assert.ok(parsePublicKey(text).equals(own.publicKey));
  }
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
  for (const text of ['', 'nonsense', `AAAA${raw}`, rsa.export({ type: 'spki', format: 'pem' }).toString()]) {
    assert.throws(() => parsePublicKey(text), /Property "remoteKey".*millwright-sign/s);
  }
});
