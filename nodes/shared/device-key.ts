import { createHmac } from 'node:crypto';
import { EdgeError } from './errors';

/** How long a token made of a device key is valid, in seconds: as long as Azure's own device libraries choose. */
export const TOKEN_SECONDS = 3600;
/** A connection begins anew when so much of its token's time is over, and a request takes a new token. */
const RENEW_SHARE = 0.8;

/** When a token that is made now should be replaced, in ms from now. */
export const RENEW_AFTER_MS = TOKEN_SECONDS * 1000 * RENEW_SHARE;

/**
 * The shared access signature by which an Azure IoT Hub knows a device.
 *
 * @param resource `<hub host name>/devices/<device id>`, as it is, not encoded
 * @param key the device's symmetric key, in base64
 * @param nowMs the time, ms since the Unix epoch
 */
export function sasToken(resource: string, key: string, nowMs: number, seconds = TOKEN_SECONDS): string {
  const uri = encodeURIComponent(resource);
  const expiry = Math.floor(nowMs / 1000) + seconds;
  const signature = createHmac('sha256', Buffer.from(key, 'base64'))
    .update(`${uri}\n${expiry}`)
    .digest('base64');
  return `SharedAccessSignature sr=${uri}&sig=${encodeURIComponent(signature)}&se=${expiry}`;
}

/** Refuses what cannot be a device key; throws `CONFIG` without repeating it. */
export function checkDeviceKey(key: string): void {
  if (!/^[A-Za-z0-9+/]{20,}={0,2}$/.test(key)) {
    throw new EdgeError(
      'CONFIG',
      'Credential "deviceKey" is no key of an Azure IoT Hub device. Copy the primary or secondary key, not the connection string.',
      { property: 'deviceKey' },
    );
  }
}
