import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { keepLengthsTogether } from '../shared/packet-lengths';

/** An MQTT client at work. */
export function openClient(options: IClientOptions): MqttClient {
  void keepLengthsTogether();
  return connect(options);
}
