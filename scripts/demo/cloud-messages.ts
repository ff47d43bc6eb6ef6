import { gunzipSync } from 'node:zlib';

/** What a publish of the template's uplink holds: one message or a batch of them, compressed or not. */
export function messagesIn<T>(body: Buffer): T[] {
  const isGzip = body[0] === 0x1f && body[1] === 0x8b;
  const parsed = JSON.parse((isGzip ? gunzipSync(body) : body).toString()) as
    T | { edgeBatch: 1; messages: T[] };
  return typeof parsed === 'object' && parsed !== null && 'edgeBatch' in parsed ? parsed.messages : [parsed];
}
