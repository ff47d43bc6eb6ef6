import type { MqttClient } from 'mqtt';
import type { Broker } from '../shared/connections';
import { EdgeError, toEdgeError } from '../shared/errors';
import { endClient } from '../shared/mqtt-client';
import { troubleOf } from '../shared/trouble';
import type { FrameCodec } from './frames';
import { spacePrefix, topicOf } from './topics';
import type { Transport, TransportEvents } from './transport';

/** What the transport needs to know of the replica that it connects. */
export interface MqttIdentity {
  nodeId: string;
  space: string;
  replica: string;
  codec: FrameCodec;
}

/**
 * Frames over a connection of their own to a broker, at QoS 1. Vectors are retained, so that a replica that connects
 * knows at once who is ahead; the last will says farewell. Nothing is queued while the broker is away: what is missed
 * is caught up with by vectors.
 */
export function mqttTransport(
  broker: Broker,
  { nodeId, space, replica, codec }: MqttIdentity,
  events: TransportEvents,
  report: (error: EdgeError) => void,
): Transport {
  const farewell = codec.encode({ kind: 'farewell', sender: replica, context: new Map() });
  const vectorTopic = topicOf(space, 'vv', replica);
  const client: MqttClient = broker.connect({
    nodeId,
    mqtt: {
      will: { topic: vectorTopic, payload: farewell, qos: 1, retain: false },
      clean: true,
      properties: { sessionExpiryInterval: 0 },
    },
  });
  let ready = false;
  let retainedTopic = vectorTopic;
  let complained = false;
  client.on('error', (error) => {
    if (!complained) {
      complained = true;
      report(new EdgeError('INTERNAL', `${broker.name}: ${troubleOf(error).reason}.`));
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
    // An empty retained message is how a vector of an old identity is taken back.
    if (payload.length > 0 || !packet.retain) {
      events.frame(payload);
    }
  });
  const publish = (topic: string, bytes: Buffer | string, retain: boolean): void => {
    client.publish(topic, bytes, { qos: 1, retain }, (error) => {
      if (error && client.connected) {
        report(toEdgeError(error));
      }
    });
  };
  return {
    get connected() {
      return ready && client.connected;
    },
    send(frame, topic, bytes) {
      if (frame.kind === 'vector' && topic !== retainedTopic) {
        publish(retainedTopic, '', true);
        retainedTopic = topic;
      }
      publish(topic, bytes, frame.kind === 'vector');
    },
    async close() {
      if (client.connected) {
        publish(vectorTopic, farewell, false);
      }
      ready = false;
      await endClient(client);
    },
  };
}
