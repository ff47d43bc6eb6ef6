import { randomBytes } from 'node:crypto';
import type { MqttClient } from 'mqtt';
import type { Clock } from '../shared/clock';

/** "Session taken over" of MQTT 5; other brokers just end the connection. */
const TAKEN_OVER = 0x8e;
/** A connection that worked and ended within this time was probably taken over as well, ms. */
const SHORT_MS = 5000;

/** What ends a connection on purpose. */
export interface Connection {
  /** Connects anew, with the will that the client has been given since. */
  renew(): void;
}

/**
 * A copy of a gateway has its client id too, and a broker lets one client of a name in: the two would throw each other
 * out for ever, and never hear enough of each other to notice that they are two. Whoever is thrown out therefore
 * comes back at once under a name of its own: the other one listens only so long before it takes itself for the only
 * one. Where a cloud allows one name only (`shareClientId`), or refuses the new one, the name stays.
 */
export function watchTakeovers(client: MqttClient, nodeId: string, clock: Clock): Connection {
  const own = client.options.clientId ?? '';
  let mayRename = own.endsWith(nodeId);
  let connectedAt: number | undefined;
  let takenOver = false;
  let renewing = false;
  client.on('connect', () => {
    connectedAt = clock.monotonic();
  });
  client.on('disconnect', ({ reasonCode }) => {
    takenOver = reasonCode === TAKEN_OVER;
  });
  client.on('error', (error) => {
    if ('code' in error && typeof error.code === 'number') {
      client.options.clientId = own;
      mayRename = false;
    }
  });
  client.on('close', () => {
    const lasted = connectedAt === undefined ? Infinity : clock.monotonic() - connectedAt;
    const thrownOut = mayRename && !renewing && (takenOver || lasted < SHORT_MS);
    if (thrownOut && !client.disconnecting) {
      mayRename = false;
      client.options.clientId = `${own}-${randomBytes(4).toString('hex')}`;
    }
    if (thrownOut || renewing) {
      setImmediate(() => connectNow(client));
    }
    connectedAt = undefined;
    takenOver = false;
    renewing = false;
  });
  return {
    renew() {
      if (client.connected) {
        renewing = true;
        client.stream.destroy();
      }
    },
  };
}

/** Connects without waiting for the next try, unless the client was ended. */
function connectNow(client: MqttClient): void {
  if (!client.disconnecting && !client.connected) {
    client.reconnect();
  }
}
