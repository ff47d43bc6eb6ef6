import { isUtf8 } from 'node:buffer';
import { endianness } from 'node:os';
import { isBatch } from '../../shared/detection/payload';
import { EdgeError } from '../../shared/errors';
import { parseCsv } from './csv';
import { unpackMessage } from './msgpack';
import { typeName } from '../rows/paths';
import { excerpt } from '../../shared/text';

/** How a Buffer or string payload is decoded. */
export type Format = 'auto' | 'json' | 'csv' | 'msgpack' | 'float32' | 'int16' | 'sparkplug';

/** Most rows of one message; more would hold up the gateway's other flows. */
export const MAX_ROWS = 10_000;

/**
 * What a payload holds: rows, each a number, a list or an object. `bytes` is the payload's length as it came; 0 for one
 * that came decoded.
 */
export interface Decoded {
  rows: readonly unknown[];
  batch: boolean;
  bytes: number;
}

export interface DecodeOptions {
  format: Exclude<Format, 'sparkplug'>;
  maxBytes: number;
}

/**
 * Decodes a payload. Buffers, ArrayBuffers and texts are read in the configured format, everything else is decoded
 * already. `auto` reads JSON and nothing else: bytes that are not JSON could be any of the binary formats, and a wrong
 * guess gives numbers that look like measurements.
 *
 * @throws EdgeError `TOO_LARGE` above `maxBytes` or {@link MAX_ROWS}, `DECODE` when the payload is not of the format
 */
export function decode(payload: unknown, options: DecodeOptions): Decoded {
  const raw = payload instanceof ArrayBuffer ? Buffer.from(payload) : payload;
  if (Buffer.isBuffer(raw)) {
    checkSize(raw.length, options.maxBytes);
    return decodeBytes(raw, options);
  }
  if (typeof raw === 'string') {
    const bytes = Buffer.byteLength(raw);
    checkSize(bytes, options.maxBytes);
    return decodeText(raw, bytes, options);
  }
  if (ArrayBuffer.isView(raw)) {
    checkSize(raw.byteLength, options.maxBytes);
  }
  return shape(raw, 0);
}

function decodeBytes(bytes: Buffer, options: DecodeOptions): Decoded {
  switch (options.format) {
    case 'float32':
      return { rows: [samplesOf(bytes, 4, 'float32')], batch: false, bytes: bytes.length };
    case 'int16':
      return { rows: [samplesOf(bytes, 2, 'int16')], batch: false, bytes: bytes.length };
    case 'msgpack':
      return shape(unpackMessage(bytes), bytes.length);
    case 'auto':
    case 'json':
    case 'csv':
      if (!isUtf8(bytes)) {
        throw new EdgeError(
          'DECODE',
          options.format === 'auto'
            ? 'The payload is binary and "auto" reads only JSON. Set the property "format" to what the sender sends (float32, int16 or msgpack).'
            : `The payload is binary, not ${options.format}. Set the property "format" to what the sender sends.`,
        );
      }
      return decodeText(bytes.toString(), bytes.length, options);
  }
}

function decodeText(text: string, bytes: number, options: DecodeOptions): Decoded {
  const clean = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  switch (options.format) {
    case 'csv':
      return shape(parseCsv(clean, MAX_ROWS), bytes);
    case 'json':
      return shape(parseJson(clean), bytes);
    case 'auto':
      if (!/^\s*[[{\d-]/.test(clean)) {
        throw new EdgeError(
          'DECODE',
          `"auto" cannot tell what the payload "${excerpt(clean)}" is. Set the property "format", or send JSON.`,
        );
      }
      return shape(parseJson(clean), bytes);
    case 'msgpack':
    case 'float32':
    case 'int16':
      throw new EdgeError(
        'DECODE',
        `The payload is a text, but the property "format" is ${options.format}. Send a Buffer, or choose another format.`,
      );
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new EdgeError(
      'DECODE',
      `The payload is not valid JSON: ${error instanceof Error ? excerpt(error.message, 120) : 'unreadable'}. Correct the sender, or set the property "format".`,
    );
  }
}

function shape(value: unknown, bytes: number): Decoded {
  if (isBatch(value)) {
    if (value.length > MAX_ROWS) {
      throw new EdgeError(
        'TOO_LARGE',
        `The payload has ${value.length} rows; send at most ${MAX_ROWS} in one message.`,
      );
    }
    return { rows: value, batch: true, bytes };
  }
  if (typeof value !== 'number' && (typeof value !== 'object' || value === null)) {
    throw new EdgeError(
      'DECODE',
      `The payload is ${typeName(value)}, not a number, a list or an object. Send named values such as {"temperature": 21.5}.`,
    );
  }
  return { rows: [value], batch: false, bytes };
}

/** Samples in little-endian order, whatever the machine's own order and the Buffer's alignment. */
function samplesOf(bytes: Buffer, width: 2 | 4, format: string): Float32Array | Int16Array {
  const count = bytes.length / width;
  if (count === 0 || !Number.isInteger(count)) {
    throw new EdgeError(
      'DECODE',
      `The payload has ${bytes.length} bytes, which is no whole number of ${format} samples of ${width} bytes. Correct the sender, or the property "format".`,
    );
  }
  if (endianness() === 'LE') {
    // A copy only where the samples do not lie at a multiple of their width.
    const from = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
    return width === 4
      ? new Float32Array(from.buffer, from.byteOffset, count)
      : new Int16Array(from.buffer, from.byteOffset, count);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return width === 4
    ? Float32Array.from({ length: count }, (_, i) => view.getFloat32(i * 4, true))
    : Int16Array.from({ length: count }, (_, i) => view.getInt16(i * 2, true));
}

/** Whether a payload has yet to be decoded; what a flow decoded before is taken as it is, whatever its topic. */
export function isEncoded(payload: unknown): boolean {
  return typeof payload === 'string' || payload instanceof Uint8Array || payload instanceof ArrayBuffer;
}

export function checkSize(bytes: number, maxBytes: number): void {
  if (bytes > maxBytes) {
    throw new EdgeError(
      'TOO_LARGE',
      `The payload has ${bytes} bytes; the property "maxBytes" allows ${maxBytes}. Send less in one message, or raise it.`,
    );
  }
}
