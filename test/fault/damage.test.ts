import assert from 'node:assert/strict';
import { copyFileSync, cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { OutboxClient } from '../../nodes/resilient-uplink/outbox-client';
import type { Fate, NewMessage, StoredMessage } from '../../nodes/resilient-uplink/outbox-port';
import type { StoreLoss } from '../../nodes/resilient-uplink/store-loss';
import { systemClock } from '../../nodes/shared/clock';
import { SeededRandom } from '../../nodes/shared/random';
import { DATABASE_DAMAGES, LOG_DAMAGES, replaceDatabase, type Damage } from '../support/damage';

const SEED = Number(process.env.EDGE_SEED ?? Date.now() % 1_000_000);
const RUNS = Number(process.env.EDGE_DAMAGES ?? 4);
const MESSAGES = 2000;
/** Messages that have come to an end before the damage, so that there is a ledger. */
const ENDED = 300;

const random = new SeededRandom(SEED);
const textOf = (n: number): string => `${n} ${String(n * 7919).repeat(n % 97 === 0 ? 2000 : 40 + (n % 50))}`;
const messageOf = (n: number): NewMessage => ({
  priority: n % 3,
  topic: `plant/${n % 5}`,
  kind: 'text',
  body: Buffer.from(textOf(n)),
  ttlMs: n % 10 === 0 ? 86_400_000 : 0,
});

let folder: string;
/** An outbox that was closed, one whose process was killed, and what both accepted. */
let closed: string;
let killed: string;
let uuid: string;
let fates: Map<number, Fate>;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edge-damage-'));
  closed = join(folder, 'closed');
  killed = join(folder, 'killed');
  const working = join(folder, 'working', 'outbox.db');
  let { outbox } = await open(working);
  ({ uuid } = outbox);
  fates = new Map();
  for (let n = 1; n <= MESSAGES; n += 100) {
    if (n === MESSAGES / 2 + 1) {
      // What came before is in the database, what comes now in its log.
      await outbox.close();
      ({ outbox } = await open(working));
    }
    await Promise.all(Array.from({ length: 100 }, (_, index) => outbox.append(messageOf(n + index))));
  }
  for (const [fate, from] of [
    ['delivered', 1],
    ['expired', 101],
    ['rejected', 201],
  ] as const) {
    const sequences = Array.from({ length: ENDED / 3 }, (_, index) => from + index);
    sequences.forEach((sequence) => fates.set(sequence, fate));
    await outbox.settle({
      remove: [
        {
          fate,
          connection: fate === 'delivered' ? 'cloud' : '',
          sequences,
          ...(fate === 'rejected' && { refusal: { reason: '400', connection: 'cloud' } }),
        },
      ],
      attempts: [],
    });
  }
  cpSync(join(working, '..'), killed, { recursive: true });
  await outbox.close();
  cpSync(join(working, '..'), closed, { recursive: true });
});

after(() => rmSync(folder, { recursive: true, force: true }));

async function open(
  path: string,
): Promise<{ outbox: OutboxClient; loss?: StoreLoss; broken: () => boolean }> {
  let broken = false;
  const opened = await OutboxClient.open(path, {
    clock: systemClock,
    limits: { hardBytes: 1e9, holdBytes: Infinity, batchBytes: 1e6 },
    onStored: () => undefined,
    onHeld: () => undefined,
    onFailure: () => (broken = true),
  });
  return { ...opened, broken: () => broken };
}

/** Reads what delivery would, and reports damaged rows as it does. */
async function readAll(outbox: OutboxClient): Promise<StoredMessage[]> {
  const all: StoredMessage[] = [];
  for (const priority of [0, 1, 2]) {
    for (let last = 0, more = true; more;) {
      const page = await outbox.read({ priority, after: last, maxRows: 500, maxBytes: 1e7 });
      all.push(...page.messages);
      const sequences = [...page.messages.map(({ sequence }) => sequence), ...page.corrupt];
      last = Math.max(last, ...sequences);
      ({ more } = page);
      if (page.corrupt.length > 0) {
        await outbox.settle({
          remove: [{ fate: 'corrupt', connection: '', sequences: page.corrupt }],
          attempts: [],
        });
      }
    }
  }
  return all;
}

interface Outcome {
  messages: StoredMessage[];
  losses: StoreLoss[];
  uuid: string;
  fresh: number;
  corrupt: number;
}

/** Opens and reads a damaged outbox as the node would, and checks what holds whatever the damage. */
async function afterDamage(path: string, what: string): Promise<Outcome> {
  const losses: StoreLoss[] = [];
  for (let attempt = 1; ; attempt++) {
    assert.ok(attempt <= 3, `${what}: opened ${attempt - 1} times and found damaged again`);
    const { outbox, loss, broken } = await open(path);
    try {
      if (loss) {
        losses.push(loss);
      }
      const messages = await readAll(outbox);
      for (const { sequence, body, topic, priority } of outbox.uuid === uuid ? messages : []) {
        const stored = messageOf(sequence);
        assert.equal(Buffer.from(body).toString(), textOf(sequence), `${what}: ${sequence} came out changed`);
        assert.deepEqual([topic, priority], [stored.topic, stored.priority], `${what}: ${sequence} moved`);
      }
      const fresh = await outbox.append(messageOf(MESSAGES + 1));
      const { counts, last, ranges } = await outbox.ledger({ maxRanges: 10_000 });
      const told = Object.values(counts.delivered).reduce((sum, count) => sum + count, 0);
      const { expired, evicted, rejected, corrupt, unrecorded, pending } = counts;
      assert.equal(
        told + expired + evicted + rejected + corrupt + unrecorded + pending,
        last,
        `${what}: a gap in the ledger: ${JSON.stringify(counts)}`,
      );
      assert.deepEqual([ranges[0].from, ranges.at(-1)?.to], [1, last], what);
      assert.equal(pending, messages.length + 1, `${what}: messages that are nowhere are pending`);
      assert.equal(outbox.usage.messages, messages.length + 1, `${what}: miscounted`);
      return { messages, losses, uuid: outbox.uuid, fresh, corrupt };
    } catch (thrown) {
      if (!broken()) {
        throw thrown;
      }
    } finally {
      await outbox.close();
    }
  }
}

/** A copy of an outbox, to be damaged. */
function copyOf(original: string): string {
  const copy = mkdtempSync(join(folder, 'run-'));
  cpSync(original, copy, { recursive: true });
  return join(copy, 'outbox.db');
}

/** Damages copies of an outbox in one way, and tells which share of its messages came out. */
async function campaign(t: TestContext, kind: string, damage: Damage, original: string): Promise<number[]> {
  const shares: number[] = [];
  let again = 0;
  for (let run = 0; run < RUNS; run++) {
    const path = copyOf(original);
    const what = `seed ${SEED}, ${kind}: ${damage(path, random)}`;
    const { messages, fresh, uuid: store, losses, corrupt } = await afterDamage(path, what);
    assert.equal(store, uuid, `${what}: the ids changed`);
    const sequences = new Set(messages.map(({ sequence }) => sequence));
    const missing = [];
    for (let sequence = 1; sequence <= MESSAGES; sequence++) {
      again += sequences.has(sequence) && fates.has(sequence) ? 1 : 0;
      if (!sequences.has(sequence) && !fates.has(sequence)) {
        missing.push(sequence);
      }
    }
    assert.ok(fresh > MESSAGES, `${what}: the number ${fresh} was given again`);
    assert.ok(corrupt >= missing.length, `${what}: ${missing.length} are lost and ${corrupt} told`);
    assert.ok(losses.length <= 1, `${what}: told ${losses.length} times`);
    shares.push(1 - missing.length / (MESSAGES - ENDED));
    rmSync(join(path, '..'), { recursive: true });
  }
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
  t.diagnostic(
    `| ${kind} | ${RUNS} | ${percent(mean)} | ${percent(Math.min(...shares))} | ${again === 0 ? '' : `${again} sent again`} |`,
  );
  return shares;
}

for (const [kind, damage] of Object.entries(DATABASE_DAMAGES)) {
  test(`what is left is salvaged and the rest is told: ${kind} (seed ${SEED})`, async (t) => {
    const shares = await campaign(t, kind, damage, closed);
    if (kind.startsWith('one ') || kind.startsWith('first ')) {
      assert.ok(Math.min(...shares) > 0.95, `seed ${SEED}, ${kind}: ${shares.join()}`);
    }
  });
}

for (const [kind, damage] of Object.entries(LOG_DAMAGES)) {
  test(`what is left is salvaged and the rest is told: ${kind} (seed ${SEED})`, async (t) => {
    await campaign(t, kind, damage, killed);
  });
}

test('an outbox that was removed is told, with what it held, and a fresh one is silent', async () => {
  const path = copyOf(closed);
  replaceDatabase(path);
  const { losses, uuid: store, messages } = await afterDamage(path, 'removed');
  assert.equal(losses[0].cause, 'removed');
  assert.equal(losses[0].count, MESSAGES - ENDED);
  assert.equal(losses[0].store, uuid);
  assert.notEqual(store, uuid, 'its ids are given again');
  assert.equal(messages.length, 0);
  const fresh = await afterDamage(join(folder, 'fresh', 'outbox.db'), 'fresh');
  assert.deepEqual(fresh.losses, []);
});

test('an outbox that was swapped for another is told, and the other is delivered from', async () => {
  const other = join(folder, 'other', 'outbox.db');
  const { outbox } = await open(other);
  await outbox.append(messageOf(1));
  await outbox.close();
  const path = copyOf(closed);
  replaceDatabase(path, other);
  const { losses, messages } = await afterDamage(path, 'swapped');
  assert.equal(losses[0].cause, 'replaced');
  assert.equal(losses[0].count, MESSAGES - ENDED);
  assert.equal(messages.length, 1);
});

test('a backup that is put back gives no number twice, and tells what is not in it', async () => {
  const path = copyOf(closed);
  const backup = join(folder, 'backup.db');
  copyFileSync(path, backup);
  const { outbox } = await open(path);
  await Promise.all(Array.from({ length: 50 }, (_, n) => outbox.append(messageOf(MESSAGES + 1 + n))));
  await outbox.close();
  replaceDatabase(path, backup);
  const { losses, fresh, corrupt, messages } = await afterDamage(path, 'restored');
  assert.equal(losses[0].cause, 'restored');
  assert.equal(losses[0].count, 50);
  assert.equal(corrupt, 50);
  assert.equal(fresh, MESSAGES + 51);
  assert.equal(messages.length, MESSAGES - ENDED);
});

test('a salvage that was cut off begins again, and nothing that it had set aside is lost', async () => {
  const path = copyOf(closed);
  DATABASE_DAMAGES['first page zeroed'](path, random);
  const { OutboxFile } = await import('../../nodes/resilient-uplink/outbox-file.js');
  const crashed = new OutboxFile(path, systemClock);
  assert.ok('done' in crashed.open(), 'it salvages');
  assert.equal(existsSync(path), false);
  await assert.rejects(open(path), /in use/, 'two build it at once');
  crashed.abandon();
  const { losses, messages } = await afterDamage(path, 'cut off');
  assert.equal(losses[0].salvaged?.messages, MESSAGES - ENDED);
  assert.equal(losses[0].salvaged.deadLetters, ENDED / 3);
  assert.equal(messages.length, MESSAGES - ENDED);
});
