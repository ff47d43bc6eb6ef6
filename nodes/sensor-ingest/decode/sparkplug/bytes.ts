import { EdgeError } from '../../../shared/errors';
import { typeName } from '../../rows/paths';
import { checkSize } from '../decode';
import { isSparkplugTopic } from './topic';

/** The bytes of a Sparkplug message; `DECODE` where topic or payload cannot be one, `TOO_LARGE` above `maxBytes`. */
export function sparkplugBytes(topic: unknown, payload: unknown, maxBytes: number): Uint8Array {
  if (!isSparkplugTopic(topic)) {
    throw new EdgeError(
      'DECODE',
      'Sparkplug needs the topic that the message came under (spBv1.0/<group>/<type>/<edge node>) in msg.topic. Keep it, or choose another format.',
    );
  }
  const bytes = payload instanceof ArrayBuffer ? new Uint8Array(payload) : payload;
  if (!(bytes instanceof Uint8Array)) {
    // Host states are texts, and of no concern here whatever they say.
    if (typeof payload === 'string' && topic.split('/')[1] === 'STATE') {
      return new Uint8Array(0);
    }
    throw new EdgeError(
      'DECODE',
      `The payload under a Sparkplug topic is ${typeName(payload)}, not a Buffer. Let the MQTT node give a Buffer, or choose another format.`,
    );
  }
  checkSize(bytes.length, maxBytes);
  return bytes;
}
