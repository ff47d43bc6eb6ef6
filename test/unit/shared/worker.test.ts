import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { WorkerClient } from '../../../nodes/shared/worker/worker-client';

type Methods = {
  double(n: number): number;
  later(n: number): Promise<number>;
  fail(reason: string): never;
  die(argument: null): void;
  spin(argument: null): never;
};

let folder: string;
let script: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-worker-'));
  script = join(folder, 'worker.js');
  const shared = resolve(__dirname, '../../../nodes/shared');
  writeFileSync(
    script,
    `const { serveWorker } = require(${JSON.stringify(join(shared, 'worker', 'serve-worker.js'))});
     const { EdgeError } = require(${JSON.stringify(join(shared, 'errors.js'))});
     serveWorker({
       double: (n) => 2 * n,
       later: (n) => new Promise((done) => setTimeout(() => done(n), 50)),
       fail: (reason) => { throw new EdgeError('REASON', reason, { reason }); },
       die: () => process.exit(3),
       spin: () => { for (;;) {} },
     });`,
  );
});
after(() => rmSync(folder, { recursive: true, force: true }));

test('calls are answered with values, and with errors that keep their code and details', async () => {
  const worker = new WorkerClient<Methods>(script, { name: 'test' });
  assert.equal(await worker.call('double', 21), 42);
  await assert.rejects(worker.call('fail', 'why'), {
    code: 'REASON',
    message: 'why',
    details: { reason: 'why' },
  });
  await worker.close();
});

test('closing lets the thread finish what it has begun', async () => {
  const worker = new WorkerClient<Methods>(script, { name: 'test' });
  const slow = worker.call('later', 7);
  await worker.close();
  assert.equal(await slow, 7);
  await assert.rejects(worker.call('double', 1), { code: 'WORKER' });
});

test('a thread that dies rejects what was under way, and says so once', async () => {
  const deaths: string[] = [];
  const worker = new WorkerClient<Methods>(script, {
    name: 'test',
    onDeath: (error) => deaths.push(error.message),
  });
  const under = worker.call('later', 1);
  const last = worker.call('die', null);
  await assert.rejects(under, { code: 'WORKER' });
  await assert.rejects(last, { code: 'WORKER' });
  assert.deepEqual(deaths, ['The thread "test" ended with code 3.']);
  await worker.close();
});

test('terminating ends a thread in the middle of what it does, and rejects its calls', async () => {
  const deaths: string[] = [];
  const worker = new WorkerClient<Methods>(script, {
    name: 'test',
    onDeath: (error) => deaths.push(error.message),
  });
  await worker.call('double', 1);
  const spinning = assert.rejects(worker.call('spin', null), { code: 'WORKER' });
  await worker.terminate();
  await spinning;
  await assert.rejects(worker.call('double', 1), { code: 'WORKER' });
  assert.deepEqual(deaths, [], 'it did not die by itself');
  assert.equal(worker.pending, 0);
});

test('a thread in the background keeps no process alive', () => {
  const client = JSON.stringify(resolve(__dirname, '../../../nodes/shared/worker/worker-client.js'));
  const program = `
    const { WorkerClient } = require(${client});
    const worker = new WorkerClient(${JSON.stringify(script)}, { name: 'test', background: true });
    worker.call('spin', null).catch(() => {});`;
  const { status, signal } = spawnSync(process.execPath, ['-e', program], { timeout: 20_000 });
  assert.deepEqual([status, signal], [0, null]);
});
