import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { keepLengthsTogether } from './packet-lengths';

/** Longest that a closing connection is waited for, ms. */
const CLOSE_MS = 2000;

/** An MQTT client at work. */
export function openClient(options: IClientOptions): MqttClient {
  void keepLengthsTogether();
  return connect(options);
}

/**
 * Ends a connection in good order: what is under way is acknowledged first. A broker that stalls is given up after a
 * short time, so that it cannot hold up a deployment.
 */
export async function endClient(client: MqttClient): Promise<void> {
  let deadline: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    deadline = setTimeout(() => {
      // A client that is ending already takes no order to hurry.
      client.stream.destroy();
      resolve();
    }, CLOSE_MS);
  });
  await Promise.race([client.endAsync(!client.connected), late]);
  clearTimeout(deadline);
}
