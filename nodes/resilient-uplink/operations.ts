import { EdgeError } from '../shared/errors';
import type { AdoptionRequest } from './adoptions';
import type { LedgerRequest } from './ledger-report';

/** Values of `msg.operation` that are meant for this node; a message with any other is sent like all messages. */
export const OPERATIONS = ['pause', 'resume', 'flush', 'stats', 'ledger', 'requeue', 'adopt'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** Which dead letters to put back; all of them when it names none. */
export interface Selection {
  sequences?: number[];
  topic?: string;
}

const MOST_RANGES = 1000;
const MOST_IDS = 10_000;

/**
 * Reads the payload of `ledger`: `{from}` asks for one page, anything else for the whole.
 *
 * @throws EdgeError `OPERATION`
 */
export function ledgerRequestOf(payload: unknown): LedgerRequest {
  const { from } = fieldsOf(payload);
  if (from === undefined) {
    return { maxRanges: MOST_RANGES };
  }
  if (typeof from !== 'number' || !Number.isSafeInteger(from) || from < 1) {
    throw unusable('payload.from must be a sequence: a whole number from 1 on.');
  }
  return { from, maxRanges: MOST_RANGES };
}

/**
 * Reads the payload of `requeue`: `{ids}` or `{topic}` chooses; a payload that is no object, as an inject node sends
 * it, means all.
 *
 * @param store identity that the ids must have
 * @throws EdgeError `OPERATION`
 */
export function selectionOf(payload: unknown, store: string): Selection {
  const fields = fieldsOf(payload);
  const unknown = Object.keys(fields).find((field) => field !== 'ids' && field !== 'topic');
  if (unknown !== undefined || Array.isArray(payload)) {
    throw unusable('payload may hold "ids" (a list) or "topic"; without them all dead letters are meant.');
  }
  const { ids, topic } = fields;
  if (topic !== undefined && (typeof topic !== 'string' || ids !== undefined)) {
    throw unusable('payload.topic must be a text, and payload.ids then absent.');
  }
  if (ids === undefined) {
    return topic === undefined ? {} : { topic };
  }
  if (!Array.isArray(ids) || ids.length > MOST_IDS) {
    throw unusable(`payload.ids must be a list of at most ${MOST_IDS} ids.`);
  }
  const sequences = ids.map((id: unknown) => sequenceOf(id, store));
  return { sequences: [...new Set(sequences)].sort((one, other) => one - other) };
}

/**
 * Reads the payload of `adopt`: a store's identity or file, or `{store, deadLetters}`.
 *
 * @throws EdgeError `OPERATION`
 */
export function adoptionOf(payload: unknown): AdoptionRequest {
  const { store, deadLetters = false } =
    typeof payload === 'string'
      ? { store: payload }
      : (fieldsOf(payload) as Partial<Record<string, unknown>>);
  if (typeof store !== 'string' || store === '' || typeof deadLetters !== 'boolean') {
    throw unusable(
      'payload must be the identity or the file of a store that was left behind, or {store, deadLetters: true}. GET /edge/uplink-stores lists them.',
    );
  }
  return { store, deadLetters };
}

function sequenceOf(id: unknown, store: string): number {
  const sequence =
    typeof id === 'string' && id.startsWith(`${store}:`) ? Number(id.slice(store.length + 1)) : NaN;
  if (!Number.isSafeInteger(sequence) || sequence < 1) {
    const shown = typeof id === 'string' ? `"${id.slice(0, 100)}"` : `a ${typeof id}`;
    throw unusable(
      `payload.ids holds ${shown}, which is no id of this outbox. Take them from msg.error.details.id.`,
    );
  }
  return sequence;
}

function fieldsOf(payload: unknown): Record<string, unknown> {
  return typeof payload === 'object' && payload !== null && !(payload instanceof Uint8Array)
    ? (payload as Record<string, unknown>)
    : {};
}

function unusable(problem: string): EdgeError {
  return new EdgeError('OPERATION', `msg.${problem}`);
}
