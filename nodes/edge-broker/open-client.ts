import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { keepLengthsTogether } from '../shared/packet-lengths';

/** An MQTT client at work. */
export function openClient(options: IClientOptions): MqttClient {
  void keepLengthsTogether();
  return connect(isDebugged() ? options : { ...options, log: sayNothing });
}

/** Whether somebody asks for what the module `debug` writes. */
function isDebugged(): boolean {
  return process.env['DEBUG'] !== undefined;
}

/** mqtt.js has some ten lines about each packet put together for `debug`, which throws them away. */
function sayNothing(): void {
  // Nobody reads it.
}
