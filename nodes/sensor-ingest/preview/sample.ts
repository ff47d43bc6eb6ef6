import { EdgeError } from '../../shared/errors';
import { typeName } from '../rows/paths';
import type { Encoding, Sample } from './result';

/** Begins texts that stand for the numbers that JSON lacks. */
const MARK = '\u0001';
const MARKED = /"\\u0001(NaN|-?Infinity)"/g;
const TEXT_OR_NUMBER = /"(?:[^"\\]|\\.)*"|NaN|-?Infinity/gs;

/**
 * Writes a payload down so that {@link decodePayload} gives an equal one.
 *
 * @throws whatever the payload's own code throws, or a TypeError for what cannot be written
 */
export function encodePayload(payload: unknown): { encoding: Encoding; payload: string } {
  if (typeof payload === 'string') {
    return { encoding: 'text', payload };
  }
  if (Buffer.isBuffer(payload)) {
    return { encoding: 'base64', payload: payload.toString('base64') };
  }
  if (payload instanceof ArrayBuffer) {
    return { encoding: 'base64', payload: Buffer.from(payload).toString('base64') };
  }
  if (payload === undefined) {
    return { encoding: 'json', payload: '' };
  }
  const json = JSON.stringify(payload, writable) as string | undefined;
  if (json === undefined) {
    throw new TypeError(`It is ${typeName(payload)}`);
  }
  return { encoding: 'json', payload: json.replace(MARKED, '$1') };
}

/**
 * The payload of a sample as a node would receive it.
 *
 * @param textAsBytes whether a text arrives as a Buffer, as it does over MQTT
 * @throws EdgeError `SAMPLE` when the sample is not written as it says
 */
export function decodePayload({ encoding, payload }: Sample, textAsBytes: boolean): unknown {
  switch (encoding) {
    case 'text':
      return textAsBytes ? Buffer.from(payload) : payload;
    case 'base64':
      if (!/^[\w+/\s-]*={0,2}\s*$/.test(payload)) {
        throw unreadable('base64', 'letters, digits, "+" and "/"');
      }
      return Buffer.from(payload, 'base64');
    case 'hex': {
      const digits = payload.replace(/0x|[\s:,-]/gi, '');
      if (!/^([0-9a-f]{2})*$/i.test(digits)) {
        throw unreadable('hex', 'two of 0–9 and a–f for each byte');
      }
      return Buffer.from(digits, 'hex');
    }
    case 'json':
      return payload === '' ? undefined : parseValue(payload);
  }
}

/** For JSON.stringify: keeps what a pipeline would make something of. */
function writable(this: unknown, key: string, value: unknown): unknown {
  if (typeof value === 'number') {
    return Number.isFinite(value) ? value : MARK + String(value);
  }
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return Array.from(value as unknown as ArrayLike<unknown>);
  }
  // `value` is what a Buffer's own toJSON made of it. In an object it is no channel.
  return Buffer.isBuffer((this as Record<string, unknown>)[key]) ? undefined : value;
}

function parseValue(text: string): unknown {
  try {
    if (!/NaN|Infinity/.test(text)) {
      return JSON.parse(text) as unknown;
    }
    const marked = text.replace(TEXT_OR_NUMBER, (part) => (part.startsWith('"') ? part : `"\\u0001${part}"`));
    return JSON.parse(marked, (_key, value: unknown) =>
      typeof value === 'string' && value.startsWith(MARK) ? Number(value.slice(1)) : value,
    ) as unknown;
  } catch {
    throw unreadable('JSON', 'a JSON value');
  }
}

function unreadable(encoding: string, expected: string): EdgeError {
  return new EdgeError(
    'SAMPLE',
    `The sample is not written as ${encoding}: ${expected} are expected. Choose how it is written, or paste it again.`,
  );
}
