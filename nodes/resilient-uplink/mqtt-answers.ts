import { ErrorWithReasonCode } from 'mqtt';
import type { Answer, Loss } from './link';

/** PUBACK and PUBREC reasons (MQTT 5, 3.4.2.1) that lie in the message itself and would come every time. */
const PERMANENT = new Set([
  0x90, // Topic Name invalid
  0x95, // Packet too large
  0x99, // Payload format invalid
]);
const NOT_AUTHORIZED = 0x87;

/** DISCONNECT reasons (MQTT 5, 3.14.2.1) that may lie in a packet that was sent. */
const ABOUT_A_PACKET = new Map([
  [0x80, 'unspecified error'],
  [0x81, 'malformed packet'],
  [0x82, 'protocol error'],
  [0x83, 'implementation specific error'],
  [NOT_AUTHORIZED, 'not authorized'],
  [0x90, 'topic name invalid'],
  [0x95, 'packet too large'],
  [0x99, 'payload format invalid'],
  [0x9b, 'quality of service not supported'],
]);
const ABOUT_THE_MOMENT = new Map([
  [0x00, 'normal disconnection'],
  [0x89, 'server busy'],
  [0x8b, 'server shutting down'],
  [0x8d, 'keep alive timeout'],
  [0x8e, 'another client has taken the client id'],
  [0x93, 'receive maximum exceeded'],
  [0x96, 'message rate too high'],
  [0x97, 'quota exceeded'],
  [0x98, 'administrative action'],
  [0x9c, 'use another server'],
  [0x9d, 'server moved'],
  [0x9f, 'connection rate exceeded'],
  [0xa0, 'maximum connect time'],
]);

/** What a broker's refusal of a message means for it. */
export function answerOf(error: Error): Answer {
  const code = error instanceof ErrorWithReasonCode ? error.code : undefined;
  if (code === NOT_AUTHORIZED) {
    const reason = `${error.message}: allow this client to publish to its topics`;
    return { outcome: 'retry', reason, fault: 'permission' };
  }
  return {
    outcome: code !== undefined && PERMANENT.has(code) ? 'rejected' : 'retry',
    reason: error.message,
  };
}

/** Why the broker ended the connection. */
export function lossOf(code = 0, told?: string): Loss {
  const text = ABOUT_A_PACKET.get(code) ?? ABOUT_THE_MOMENT.get(code);
  const named = `the broker disconnected: ${text ?? 'reason'} (0x${code.toString(16).padStart(2, '0')})`;
  const reason = told ? `${named}, "${told}"` : named;
  return {
    reason,
    ...(ABOUT_A_PACKET.has(code) && { closed: true }),
    ...(code === NOT_AUTHORIZED && { fault: 'permission' as const }),
  };
}
