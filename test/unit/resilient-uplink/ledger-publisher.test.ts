import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { LedgerPublisher, ledgerMessage } from '../../../nodes/resilient-uplink/ledger-publisher';
import type { LedgerReport } from '../../../nodes/resilient-uplink/ledger-report';
import { EdgeError } from '../../../nodes/shared/errors';
import { FakeClock, settle } from '../../support/fake-clock';
import { delivered, folderOf, LocalOutbox, message, openStore } from './support';

const HOUR = 3_600_000;
const ENVELOPE = {
  topic: '{topic}',
  content: 'payload',
  priority: 'alert',
  ttlMs: 1000,
  gatewayId: 'g',
  site: 's',
  maxBytes: 1e6,
  drop: ['payload.ranges'],
  hash: ['payload.store'],
  hashKey: 'key',
} as const;

let folder: ReturnType<typeof folderOf>;
let clock: FakeClock;
let current: ReturnType<typeof openStore>;
let outbox: LocalOutbox;
let publisher: LedgerPublisher;
let published: { sequence: number; report: LedgerReport }[];
let failures: EdgeError[];
let full = false;

beforeEach(() => {
  folder = folderOf('publisher');
  clock = new FakeClock();
  published = [];
  failures = [];
  open();
});

afterEach(() => {
  publisher.stop();
  current.database.close();
  folder.remove();
});

function open(): void {
  current = openStore(join(folder.path, 'outbox.db'), clock);
  outbox = new LocalOutbox(current.store);
}

async function start(maxBytes = 1e6): Promise<void> {
  const send = (report: LedgerReport): number => {
    if (full) {
      throw new EdgeError('OUTBOX_FULL', 'full');
    }
    const [{ sequence }] = outbox.append([
      ledgerMessage(report, { ...ENVELOPE, drop: [], hash: [], maxBytes }),
    ]);
    published.push({ sequence, report });
    return sequence;
  };
  publisher = new LedgerPublisher(
    outbox,
    clock,
    (report) => Promise.resolve().then(() => send(report)),
    (error) => failures.push(error),
  );
  publisher.start();
  await settle();
}

function append(count: number): void {
  outbox.append(Array.from({ length: count }, (_, index) => message('a', String(index))));
}

async function restart(outageMs = 0): Promise<void> {
  publisher.stop();
  await publisher.finished();
  current.store.finish();
  current.database.close();
  clock = new FakeClock(clock.now() + outageMs);
  open();
  await start();
}

test('publishes what became of all messages after an hour, through the outbox', async () => {
  await start();
  append(3);
  current.store.settle(delivered([1, 2]));
  await clock.advance(HOUR - 1000);
  assert.equal(published.length, 0);
  await clock.advance(2000);
  assert.equal(published.length, 1);
  assert.deepEqual(published[0].report.counts.delivered, { broker: 2 });
  assert.equal(published[0].report.counts.pending, 1);
  const { messages } = current.store.read({ priority: 1, after: 3, maxRows: 10, maxBytes: 1e6 });
  assert.equal(messages[0].topic, `edge/ledger/${outbox.uuid}`);
  assert.equal(messages[0].ttlMs, 0);
  assert.deepEqual(JSON.parse(Buffer.from(messages[0].body).toString()), published[0].report);
});

test('publishes nothing of nothing, and nothing when only its own message has moved', async () => {
  await start();
  await clock.advance(3 * HOUR);
  assert.equal(published.length, 0);
  append(1);
  await clock.advance(HOUR);
  assert.equal(published.length, 1);
  await clock.advance(HOUR);
  assert.equal(published.length, 1, 'its own message is pending');
  current.store.settle(delivered([published[0].sequence], 'web'));
  await clock.advance(HOUR);
  assert.equal(published.length, 1, 'its own message was delivered');
  current.store.settle(delivered([1], 'web'));
  await clock.advance(HOUR);
  assert.equal(published.length, 2);
  assert.deepEqual(published[1].report.counts.delivered, { web: 2 });
  current.store.settle(delivered([published[1].sequence]));
  await clock.advance(HOUR);
  assert.equal(published.length, 2);
  append(1);
  await clock.advance(HOUR);
  assert.equal(published.length, 3);
});

test('adds no other while its own still waits, and makes up for it when that one is gone', async () => {
  await start();
  append(1);
  await clock.advance(HOUR);
  current.store.settle(delivered([1]));
  append(5);
  await clock.advance(3 * HOUR);
  assert.equal(published.length, 1);
  current.store.settle(delivered([published[0].sequence]));
  await clock.advance(HOUR);
  assert.equal(published.length, 2);
  assert.deepEqual([published[1].report.to, published[1].report.counts.pending], [7, 5]);
});

test('keeps to the hour over restarts, and makes up for one that passed without power', async () => {
  await start();
  append(1);
  for (let round = 0; round < 5; round++) {
    await clock.advance(HOUR / 4);
    await restart();
  }
  await clock.advance(1000);
  assert.equal(published.length, 1);
  append(1);
  current.store.settle(delivered([published[0].sequence]));
  await restart(2 * HOUR);
  await clock.advance(1000);
  assert.equal(published.length, 2);
});

test('a small outbox gets a short report', async () => {
  append(400);
  for (let sequence = 2; sequence <= 400; sequence += 2) {
    current.store.settle(delivered([sequence]));
  }
  await start(2000);
  await clock.advance(HOUR);
  assert.equal(published.length, 1);
  const { report } = published[0];
  assert.ok(report.ranges.length > 3 && report.ranges.length < 40, `${report.ranges.length} ranges`);
  assert.deepEqual([report.from, report.to, report.counts.pending], [1, 400, 200]);
});

test('a store that refuses is reported and tried again an hour later', async () => {
  await start();
  append(1);
  full = true;
  await clock.advance(HOUR);
  assert.deepEqual(
    failures.map(({ code }) => code),
    ['OUTBOX_FULL'],
  );
  full = false;
  await clock.advance(HOUR);
  assert.equal(published.length, 1);
});

test('travels as a message from the flow would, but with nothing left out and for ever', () => {
  append(1);
  const report = current.store.ledger({ maxRanges: 10 });
  const sent = ledgerMessage(report, { ...ENVELOPE, drop: [], hash: [], topic: '{site}/{gateway}/{topic}' });
  assert.equal(sent.topic, `s/g/edge/ledger/${report.store}`);
  assert.deepEqual([sent.priority, sent.ttlMs], [1, 0]);
  const whole = ledgerMessage(report, { ...ENVELOPE, drop: ['payload.ranges'], hash: ['payload.store'] });
  assert.deepEqual(JSON.parse(Buffer.from(whole.body).toString()), report);
});
