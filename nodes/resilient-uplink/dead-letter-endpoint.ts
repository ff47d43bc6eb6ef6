import type { NodeAPI } from 'node-red';
import { answerWith } from '../shared/dialog/answer';
import { runningNode } from '../shared/dialog/running';
import { EdgeError } from '../shared/errors';
import { excerpt } from '../shared/text';
import type { DeadLetter, DeadLetterPage, DeadLetterRequest } from './outbox-port';

/** What a running uplink offers here. */
export interface DeadLetterNode {
  deadLetters(
    request: DeadLetterRequest,
  ): Promise<DeadLetterPage & { store: string; messages: number; bytes: number }>;
  /** Puts dead letters back as `msg.operation` = `requeue` does; rejects with `OPERATION` or `STORE`. */
  requeue(payload: unknown): Promise<object | undefined>;
}

/** Characters of a message that a list shows. */
const PREVIEW_CHARACTERS = 120;
const PAGE = { maxRows: 100, maxBytes: 1024 * 1024 };

/**
 * `GET /edge/resilient-uplink/:id/dead-letters?after=&bodies=true`: a page of the messages that were refused for good,
 * oldest first. `next` is the `after` of the next page; `bodies` adds what would be sent, `preview` the beginning of it.
 * `POST /edge/resilient-uplink/:id/requeue`: puts those of `{ids}` back, or all.
 */
export function registerDeadLetters(RED: NodeAPI): void {
  RED.httpAdmin.get(
    '/edge/resilient-uplink/:id/dead-letters',
    // It reads what is stored, which may be confidential.
    RED.auth.needsPermission('flows.write'),
    (request, response) => {
      answerWith(response, async () => {
        const { after, bodies, preview } = request.query as Record<string, unknown>;
        const node = runningNode<DeadLetterNode>(
          RED,
          'resilient-uplink',
          String(request.params.id),
          'deadLetters',
        );
        const page = await node.deadLetters({
          ...PAGE,
          after: sequenceOf(after),
          bodies: bodies === 'true' || preview === 'true',
        });
        const { store, messages, bytes, letters, more } = page;
        const next = more ? letters.at(-1)?.sequence : undefined;
        return {
          store,
          messages,
          bytes,
          deadLetters: letters.map((letter) => listed(letter, store, bodies === 'true')),
          ...(next !== undefined && { next }),
        };
      });
    },
  );
  RED.httpAdmin.post(
    '/edge/resilient-uplink/:id/requeue',
    RED.auth.needsPermission('flows.write'),
    (request, response) => {
      answerWith(response, () =>
        runningNode<DeadLetterNode>(RED, 'resilient-uplink', String(request.params.id), 'requeue').requeue(
          request.body,
        ),
      );
    },
  );
}

function listed({ sequence, refusedMs, body, ...letter }: DeadLetter, store: string, whole: boolean): object {
  const entry = { id: `${store}:${sequence}`, ...letter, when: refusedMs };
  if (!body) {
    return entry;
  }
  if (!whole) {
    return { ...entry, preview: previewOf(body, letter.kind === 'binary') };
  }
  const encoding = letter.kind === 'binary' ? 'base64' : 'utf8';
  return { ...entry, encoding, body: Buffer.from(body).toString(encoding) };
}

/** The beginning of a body; bytes as figures. */
function previewOf(body: Uint8Array, isBinary: boolean): string {
  const start = Buffer.from(body.subarray(0, PREVIEW_CHARACTERS * 4));
  const text = isBinary ? start.toString('hex').replace(/(..)/g, '$1 ').trim() : start.toString();
  return excerpt(text, PREVIEW_CHARACTERS);
}

function sequenceOf(after: unknown): number {
  const sequence = after === undefined || after === '' ? 0 : Number(after);
  if (!Number.isSafeInteger(sequence) || sequence < 0) {
    throw new EdgeError('REQUEST', 'The parameter "after" must be a sequence: a whole number.');
  }
  return sequence;
}
