import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviceLogin } from '../../../nodes/edge-broker/device-login';
import { parseBrokerConfig } from '../../../nodes/edge-broker/config';
import { parseHttpConfig } from '../../../nodes/edge-http/config';
import { HttpSender } from '../../../nodes/edge-http/http-sender';
import { checkDeviceKey, sasToken } from '../../../nodes/shared/device-key';
import { FakeClock } from '../../support/fake-clock';

/** The bytes 0 to 31. */
const KEY = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';
const AT = Date.UTC(2026, 0, 1);

test('a token is signed as openssl signs it', () => {
  // printf '%s\n1767229200' factory.azure-devices.net%2Fdevices%2Fpress%207 | openssl dgst -sha256 -mac HMAC \
  //   -macopt hexkey:000102…1e1f -binary | base64
  const signature = 'QfBJD80Hqgrd6+HAtoc2qhWfP3MI1jxMYZ1G5MzrdHc=';
  assert.equal(
    sasToken('factory.azure-devices.net/devices/press 7', KEY, AT),
    `SharedAccessSignature sr=factory.azure-devices.net%2Fdevices%2Fpress%207&sig=${encodeURIComponent(signature)}&se=1767229200`,
  );
});

test('a connection string in place of the key is refused, and not repeated', () => {
  checkDeviceKey(KEY);
  for (const wrong of ['HostName=a;DeviceId=b;SharedAccessKey=secret', 'short', '']) {
    assert.throws(
      () => checkDeviceKey(wrong),
      (error: Error & { code?: string }) => error.code === 'CONFIG' && !error.message.includes('secret'),
    );
  }
});

test('a device logs in with its hub, its id and a token that is new each time', () => {
  const raw = {
    ...{ url: 'mqtts://factory.azure-devices.net', clientId: 'press7', shareClientId: true },
    protocolVersion: '4',
  };
  const login = deviceLogin(parseBrokerConfig(raw), KEY);
  assert.equal(login(AT).username, 'factory.azure-devices.net/press7/?api-version=2021-04-12');
  assert.match(login(AT).password, /sr=factory.azure-devices.net%2Fdevices%2Fpress7&.*se=1767229200$/);
  assert.match(login(AT + 60_000).password, /se=1767229260$/);
  const elsewhere = deviceLogin(
    parseBrokerConfig({ ...raw, url: 'mqtts://10.0.0.1' }),
    KEY,
    'hub.x/press7/?a=b',
  );
  assert.equal(elsewhere(AT).username, 'hub.x/press7/?a=b');
  assert.match(elsewhere(AT).password, /sr=hub.x%2Fdevices%2Fpress7&/);
  for (const wrong of [
    { shareClientId: false },
    { clientId: '', shareClientId: false },
    { protocolVersion: '5' },
  ]) {
    const config = parseBrokerConfig({ ...raw, ...wrong });
    assert.throws(() => deviceLogin(config, KEY), { code: 'CONFIG' }, JSON.stringify(wrong));
  }
});

test('by HTTPS the address says which device it is', () => {
  const sender = (url: string): HttpSender =>
    new HttpSender(parseHttpConfig({ url }), { deviceKey: KEY }, new FakeClock());
  sender('https://factory.azure-devices.net/devices/press7/messages/events?api-version=2020-03-13').close();
  assert.throws(() => sender('https://factory.azure-devices.net/readings'), { code: 'CONFIG' });
});
