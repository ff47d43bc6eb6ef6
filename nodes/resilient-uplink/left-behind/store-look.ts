import type { DatabaseSync } from 'node:sqlite';
import { EdgeError } from '../../shared/errors';
import { isBusy, loadSqlite, openDatabase } from '../../shared/store/sqlite';
import { DeadLetters } from '../dead-letters';
import { MessageReader } from '../message-reader';
import { PRIORITIES, type BodyKind, type Statements } from '../outbox-port';
import { OUTBOX_MIGRATIONS } from '../outbox-schema';

/** What a store holds. */
export interface Look {
  store: string;
  messages: number;
  bytes: number;
  deadLetters: number;
  oldestMs: number | null;
}

/** Where an export goes on: messages by priority, then dead letters (priority = their number). */
export interface ExportPosition {
  priority: number;
  after: number;
}

export interface ExportPage {
  /** Lines of JSON. */
  text: Uint8Array;
  /** Missing on the last page. */
  next?: ExportPosition;
}

const PAGE = { maxRows: 500, maxBytes: 1024 * 1024 };

/**
 * Looks into a store without changing it; undefined where somebody has it open, who is not disturbed. SQLite keeps its
 * locks by process: the file must never be opened by other means, for closing it would end the locks of its owner.
 */
export function lookInto(path: string): Look | undefined {
  return reading(path, (sql) => {
    const { uuid } = sql('SELECT uuid FROM store').get() as { uuid: string };
    const usage = sql(
      'SELECT coalesce(sum(messages), 0) AS messages, coalesce(sum(bytes), 0) AS bytes FROM usage',
    ).get() as { messages: number; bytes: number };
    const dead =
      versionOf(sql) > 1
        ? (sql('SELECT dead_messages AS messages, dead_bytes AS bytes FROM store').get() as typeof usage)
        : { messages: 0, bytes: 0 };
    const oldest = sql('SELECT stored_ms FROM message ORDER BY sequence LIMIT 1').get() as
      { stored_ms: number } | undefined;
    return {
      store: uuid,
      messages: usage.messages,
      bytes: usage.bytes + dead.bytes,
      deadLetters: dead.messages,
      oldestMs: oldest?.stored_ms ?? null,
    };
  });
}

/** @throws EdgeError `STORE` when somebody has it open */
export function exportPage(path: string, position: ExportPosition): ExportPage {
  const old = reading(path, (sql) => versionOf(sql) < OUTBOX_MIGRATIONS.length);
  if (old) {
    openDatabase(path, OUTBOX_MIGRATIONS).database.close();
  }
  const page = reading(path, (sql) =>
    position.priority < PRIORITIES.length ? messagePage(sql, position) : deadLetterPage(sql, position),
  );
  if (!page) {
    throw inUse(path);
  }
  return page;
}

export function inUse(path: string): EdgeError {
  return new EdgeError('STORE', `${path} is in use by another process, which delivers from it.`);
}

function messagePage(sql: Statements, position: ExportPosition): ExportPage {
  const { uuid } = sql('SELECT uuid FROM store').get() as { uuid: string };
  const reader = new MessageReader(sql, () => true);
  const { messages, corrupt, more } = reader.read({ ...position, ...PAGE });
  const lines = messages.map(({ sequence, topic, priority, storedMs, kind, body }) => ({
    sequence,
    line: {
      id: `${uuid}:${sequence}`,
      topic,
      priority: PRIORITIES[priority],
      storedMs,
      kind,
      ...payloadOf(kind, body),
    },
  }));
  const damaged = corrupt.map((sequence) => ({
    sequence,
    line: { id: `${uuid}:${sequence}`, corrupt: true },
  }));
  const last = Math.max(position.after, ...[...lines, ...damaged].map(({ sequence }) => sequence));
  return {
    text: jsonLines([...lines, ...damaged].map(({ line }) => line)),
    next: more ? { ...position, after: last } : { priority: position.priority + 1, after: 0 },
  };
}

function deadLetterPage(sql: Statements, position: ExportPosition): ExportPage {
  const { uuid } = sql('SELECT uuid FROM store').get() as { uuid: string };
  const { letters, more } = new DeadLetters(sql, Infinity).list({
    after: position.after,
    ...PAGE,
    bodies: true,
  });
  const text = jsonLines(
    letters.map(({ sequence, topic, priority, storedMs, kind, body, reason, connection, refusedMs }) => ({
      id: `${uuid}:${sequence}`,
      topic,
      priority,
      storedMs,
      kind,
      ...payloadOf(kind, body ?? new Uint8Array()),
      deadLetter: { reason, connection, refusedMs },
    })),
  );
  const last = letters.at(-1);
  return more && last ? { text, next: { ...position, after: last.sequence } } : { text };
}

/** What was stored: JSON as it is, text as a string, bytes as base64. */
function payloadOf(kind: BodyKind, body: Uint8Array): { payload: unknown; encoding?: 'base64' } {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (kind === 'binary') {
    return { payload: bytes.toString('base64'), encoding: 'base64' };
  }
  const text = bytes.toString();
  if (kind === 'text') {
    return { payload: text };
  }
  try {
    return { payload: JSON.parse(text) };
  } catch {
    // A number that JSON does not know, such as NaN, is stored as its text.
    return { payload: text };
  }
}

function jsonLines(lines: readonly object[]): Uint8Array {
  // A copy of its own, so that it can be handed over to another thread.
  return new Uint8Array(Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join('')));
}

function versionOf(sql: Statements): number {
  return (sql('PRAGMA user_version').get() as { user_version: number }).user_version;
}

/** Reads from a database that nobody has open; undefined where somebody has. */
function reading<T>(path: string, work: (sql: Statements) => T): T | undefined {
  const { DatabaseSync } = loadSqlite();
  let database: DatabaseSync | undefined;
  try {
    const opened = new DatabaseSync(path, { readOnly: true });
    database = opened;
    return work((text) => opened.prepare(text));
  } catch (thrown) {
    if (isBusy(thrown)) {
      return undefined;
    }
    throw thrown;
  } finally {
    database?.close();
  }
}
