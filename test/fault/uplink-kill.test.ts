import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { OutboxStore } from '../../nodes/resilient-uplink/outbox';
import { OUTBOX_MIGRATIONS } from '../../nodes/resilient-uplink/outbox-schema';
import { systemClock } from '../../nodes/shared/clock';
import { SeededRandom } from '../../nodes/shared/random';
import { openDatabase } from '../../nodes/shared/store/sqlite';
import { MqttServer } from '../support/mqtt-server';

const KILLS = Number(process.env.UPLINK_KILLS ?? 10);
const SEED = Number(process.env.UPLINK_SEED ?? Date.now() % 1_000_000);

type Report = { kind: 'accepted'; texts: string[] } | { kind: 'ready' } | { kind: 'failed'; error: string };

/** The uplink in a process of its own that accepts messages as fast as it can, numbered from `from`. */
class Victim {
  private readonly child: ChildProcess;
  readonly ready: Promise<unknown>;
  readonly failures: string[] = [];

  constructor(path: string, url: string, from: number, accepted: string[]) {
    this.child = fork(join(__dirname, '..', 'support', 'uplink-process.js'), [path, url, String(from)]);
    this.ready = new Promise((resolve, reject) => {
      this.child.on('message', (report: Report) => {
        if (report.kind === 'accepted') {
          accepted.push(...report.texts);
        } else if (report.kind === 'ready') {
          resolve(undefined);
        } else {
          this.failures.push(report.error);
          reject(new Error(report.error));
        }
      });
    });
  }

  async kill(): Promise<void> {
    const closed = once(this.child, 'close');
    this.child.kill('SIGKILL');
    await closed;
  }

  /** Lets it only deliver from here on. */
  rest(): void {
    this.child.send('rest');
  }
}

test(`nothing accepted is lost through ${KILLS} kills and broker deaths (seed ${SEED})`, async () => {
  const random = new SeededRandom(SEED);
  const folder = mkdtempSync(join(tmpdir(), 'uplink-kill-'));
  const path = join(folder, 'outbox.db');
  const server = await MqttServer.start();
  const accepted: string[] = [];
  let victim: Victim | undefined;
  try {
    for (let round = 0; round < KILLS; round++) {
      victim = new Victim(path, server.url, round * 1_000_000, accepted);
      const ready = victim.ready;
      if (random.next() < 0.8) {
        await ready;
        await sleep(random.int(400));
      } else {
        // Also in the middle of its start.
        ready.catch(() => undefined);
        await sleep(random.int(200));
      }
      if (random.next() < 0.3) {
        await server.die();
        await sleep(random.int(100));
      }
      server.stalled = random.next() < 0.2;
      await sleep(random.int(100));
      await victim.kill();
      assert.deepEqual(victim.failures, []);
      if (random.next() < 0.7) {
        server.stalled = false;
        await server.die();
        await server.listen();
      }
    }
    server.stalled = false;
    await server.die();
    await server.listen();
    victim = new Victim(path, server.url, KILLS * 1_000_000, accepted);
    await victim.ready;
    victim.rest();
    const deadline = Date.now() + 60_000;
    let missing = accepted;
    while (missing.length > 0 && Date.now() < deadline) {
      await sleep(100);
      const arrived = new Set(server.texts.map(textOf));
      missing = accepted.filter((text) => !arrived.has(text));
    }
    assert.deepEqual(missing.slice(0, 10), [], `${missing.length} of ${accepted.length} are missing`);
    assert.ok(accepted.length > 100 * KILLS * 0.3, `only ${accepted.length} accepted`);
    checkIds(server);
    await victim.kill();
    victim = undefined;
    checkLedger(path, accepted.length);
  } finally {
    await victim?.kill();
    await server.die();
    rmSync(folder, { recursive: true, force: true });
  }
});

/** One id stands for one message for ever, and each topic's messages came for the first time in order. */
function checkIds(server: MqttServer): void {
  const texts = new Map<string, string>();
  const last = new Map<string, number>();
  for (const { topic, text } of server.arrived) {
    const { id, payload } = JSON.parse(text) as { id: string; payload: string };
    const known = texts.get(id);
    assert.ok(known === undefined || known === payload, `${id} came with two payloads`);
    if (known === undefined) {
      texts.set(id, payload);
      const number = Number(payload.split(' ')[0]);
      assert.ok((last.get(topic) ?? -1) < number, `${payload} was overtaken on ${topic}`);
      last.set(topic, number);
    }
  }
}

/** Whatever the kills interrupted, each message is either stored or accounted for. */
function checkLedger(path: string, accepted: number): void {
  const { database } = openDatabase(path, OUTBOX_MIGRATIONS);
  const store = new OutboxStore(database, systemClock);
  const { ranges, counts, to } = store.ledger({ maxRanges: 1e6 });
  const rows = database.prepare('SELECT sequence FROM message').all() as { sequence: number }[];
  database.close();
  const pending = ranges.filter(({ fate }) => fate === 'pending');
  assert.deepEqual(
    pending.flatMap(({ from, count }) => Array.from({ length: count }, (_, index) => from + index)),
    rows.map(({ sequence }) => sequence),
  );
  assert.equal(Object.values(counts.delivered).reduce((sum, count) => sum + count, 0) + counts.pending, to);
  assert.ok(to >= accepted);
}

function textOf(text: string): string {
  return (JSON.parse(text) as { payload: string }).payload;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
