import { randomBytes } from 'node:crypto';
import type { MqttClient } from 'mqtt';

/** "Session taken over" of MQTT 5; the older version just ends the connection. */
const TAKEN_OVER = 0x8e;
/** A connection that worked and ended within this time was probably taken over as well, ms. */
const SHORT_MS = 5000;
const SHORT_CONNECTIONS = 3;

/**
 * A copy of a gateway has its client id too, and a broker lets one client of a name in: the two would throw each other
 * out for ever, and never hear enough of each other to notice that they are two. Whoever is thrown out therefore
 * comes back under a name of its own. Where a cloud allows one name only (`shareClientId`), it stays.
 */
export function watchTakeovers(client: MqttClient, nodeId: string, told: () => void): void {
  let connectedAt: number | undefined;
  let short = 0;
  const own = client.options.clientId ?? '';
  const rename = (): void => {
    if (client.options.clientId === own && own.endsWith(nodeId)) {
      client.options.clientId = `${own}-${randomBytes(4).toString('hex')}`;
      told();
    }
  };
  client.on('connect', () => {
    connectedAt = performance.now();
  });
  client.on('disconnect', ({ reasonCode }) => {
    if (reasonCode === TAKEN_OVER) {
      rename();
      // At once: the other one listens only so long before it takes itself for the only one.
      client.once('close', () => setImmediate(() => reconnect(client)));
    }
  });
  client.on('close', () => {
    if (connectedAt === undefined) {
      return;
    }
    short = performance.now() - connectedAt < SHORT_MS ? short + 1 : 0;
    connectedAt = undefined;
    if (short >= SHORT_CONNECTIONS) {
      // The next try takes the new name.
      rename();
    }
  });
}

/** Connects without waiting for the next try, unless the client was ended. */
export function reconnect(client: MqttClient): void {
  if (!client.disconnecting && !client.connected) {
    client.reconnect();
  }
}
