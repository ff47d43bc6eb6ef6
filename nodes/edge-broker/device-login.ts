import { checkDeviceKey, sasToken } from '../shared/device-key';
import { EdgeError } from '../shared/errors';
import type { BrokerConfig } from './config';

const API_VERSION = '2021-04-12';

/** User name and password of one connection. */
export interface Login {
  username: string;
  password: string;
}

/**
 * How a device logs in to an Azure IoT Hub with its key: the password is a token that is made for each connection.
 *
 * @param username empty, or `<hub>/<device>/…` where the broker's address is not the hub's own, behind a gateway
 * @returns makes a login at a time, ms since the Unix epoch
 * @throws EdgeError `CONFIG` when the broker's properties are not what a hub takes
 */
export function deviceLogin(
  { clientId, shareClientId, protocolVersion, servers }: BrokerConfig,
  deviceKey: string,
  username = '',
): (nowMs: number) => Login {
  checkDeviceKey(deviceKey);
  if (!clientId || !shareClientId) {
    throw invalid(
      'clientId',
      'must be the device id, and be used as it is, when a device key is entered: fill it in and tick the box below it.',
    );
  }
  if (protocolVersion !== 4) {
    throw invalid('protocolVersion', 'must be MQTT 3.1.1 for an Azure IoT Hub.');
  }
  const hub = username.split('/')[0] || servers[0].host;
  const resource = `${hub}/devices/${clientId}`;
  return (nowMs) => ({
    username: username || `${hub}/${clientId}/?api-version=${API_VERSION}`,
    password: sasToken(resource, deviceKey, nowMs),
  });
}

function invalid(property: string, problem: string): EdgeError {
  return new EdgeError('CONFIG', `Property "${property}" ${problem}`, { property });
}
