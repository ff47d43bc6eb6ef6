import type { MqttClient } from 'mqtt';
import type { Clock } from '../shared/clock';
import type { Broker } from '../shared/connections';
import { EdgeError, toEdgeError } from '../shared/errors';
import { endClient, explainFailure } from '../shared/mqtt-client';
import type { FrameCodec } from './frames';
import { watchTakeovers } from './takeover';
import { spacePrefix, topicOf } from './topics';
import type { Transport, TransportEvents } from './transport';

/** What the transport needs to know of the replica that it connects. */
export interface MqttIdentity {
  nodeId: string;
  space: string;
  replica: string;
  codec: FrameCodec;
  clock: Clock;
}

/**
 * Frames over a connection of their own to a broker, at QoS 1. Vectors are retained, so that a replica that connects
 * knows at once who is ahead; the last will says farewell. Nothing is queued while the broker is away: what is missed
 * is caught up with by vectors.
 */
export function mqttTransport(
  broker: Broker,
  { nodeId, space, replica: first, codec, clock }: MqttIdentity,
  events: TransportEvents,
  report: (error: EdgeError) => void,
): Transport {
  let replica = first;
  const farewell = (): { topic: string; payload: Buffer } => ({
    topic: topicOf(space, 'vv', replica),
    payload: codec.encode({ kind: 'farewell', sender: replica, context: new Map() }),
  });
  const client: MqttClient = broker.connect({
    nodeId,
    mqtt: {
      will: { ...farewell(), qos: 1, retain: false },
      clean: true,
      properties: { sessionExpiryInterval: 0 },
    },
  });
  let ready = false;
  let complained = false;
  const connection = watchTakeovers(client, nodeId, clock);
  client.on('error', (error) => {
    if (!complained) {
      complained = true;
      report(new EdgeError('INTERNAL', `${broker.name}: ${explainFailure(error)}`));
    }
  });
  client.on('connect', () => {
    complained = false;
    client.subscribe(`${spacePrefix(space)}#`, { qos: 1, nl: broker.protocolVersion === 5 }, (error) => {
      if (error) {
        report(toEdgeError(error));
      } else {
        ready = true;
        events.connected();
      }
    });
  });
  client.on('close', () => {
    ready = false;
  });
  client.on('message', (_topic, payload, packet) => {
    // An empty message is how a vector of an old identity is taken back.
    if (payload.length > 0) {
      events.frame(payload, packet.retain);
    }
  });
  const publish = (topic: string, bytes: Buffer | string, retain: boolean): void => {
    client.publish(topic, bytes, { qos: 1, retain }, (error) => {
      if (error && client.connected) {
        report(toEdgeError(error));
      }
    });
  };
  /** The replica has another identity from now on: the old vector is taken back, and the will is to name the new one. */
  const rename = (sender: string): void => {
    publish(topicOf(space, 'vv', replica), '', true);
    replica = sender;
    if (client.options.will) {
      Object.assign(client.options.will, farewell());
    }
  };
  return {
    get connected() {
      return ready && client.connected;
    },
    send(frame, topic, bytes) {
      const renamed = frame.kind === 'vector' && frame.sender !== replica;
      if (renamed) {
        rename(frame.sender);
      }
      // What a newcomer could not read is no use to it.
      const retain = frame.kind === 'vector' && !frame.short;
      client.publish(topic, bytes, { qos: 1, retain }, (error) => {
        if (error && client.connected) {
          report(toEdgeError(error));
        }
        if (renamed && !error) {
          // A will can only be given with a new connection.
          connection.renew();
        }
      });
    },
    async close() {
      if (client.connected) {
        const { topic, payload } = farewell();
        publish(topic, payload, false);
      }
      ready = false;
      await endClient(client);
    },
  };
}
