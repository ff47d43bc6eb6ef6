import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench, machine, MemoryStore } from './support';

const SMALL = { trees: 20, sample: 64, history: 200, retrain: 50, warmup: 40, reference: 200 };

/** Lets promises that are under way settle. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const PHASES = [
  { learn: 'sliding', variant: 'standard' },
  { learn: 'reference', variant: 'density' },
  { learn: 'both', variant: 'standard' },
  { learn: 'both', variant: 'blend', trees: 21, retrain: 10 },
  { learn: 'sliding', variant: 'blend', trees: 7 },
  { learn: 'both', variant: 'fair-cut', history: 60, retrain: 10 },
];

test('after a restart in any phase the scores and thresholds are those of a node that never stopped', async () => {
  for (const phase of PHASES) {
    const options = { ...SMALL, ...phase };
    const next = machine(3, 5);
    const readings = Array.from({ length: 1600 }, next);
    const whole = new Bench(options);
    const store = new MemoryStore();
    let restarted = new Bench(options, store);
    for (const [index, reading] of readings.entries()) {
      if ([10, 30, 60, 170, 215, 260, 330, 600, 1000, 1001, 1400].includes(index)) {
        await restarted.runtime.close(false);
        restarted = new Bench(options, store);
      }
      const expected = await whole.detect(reading);
      const actual = await restarted.detect(reading);
      assert.deepEqual(
        [actual.score, actual.threshold, actual.status],
        [expected.score, expected.threshold, expected.status],
        `${JSON.stringify(phase)}, reading ${index}`,
      );
    }
  }
});

test('a forest is written while it runs, so that a killed node goes on from there', async () => {
  const store = new MemoryStore();
  const bench = new Bench(SMALL, store);
  const next = machine(3, 6);
  for (let reading = 0; reading < 300; reading++) {
    await bench.detect(next());
    bench.clock.advance(1000);
    await settled();
  }
  const after = new Bench(SMALL, store);
  const { status, score } = await after.detect(next());
  assert.equal(status, 'OPERATIONAL');
  assert.ok(score !== null);
});

test('writing takes turns: a thousand sources do not write at once', async () => {
  const store = new MemoryStore();
  let writes = 0;
  const write = store.write.bind(store);
  store.write = (entries) => {
    writes++;
    return write(entries);
  };
  const bench = new Bench(SMALL, store);
  for (let reading = 0; reading < 60; reading++) {
    for (let source = 0; source < 200; source++) {
      await bench.detect(reading % 7, `m${source}`);
    }
  }
  await settled();
  assert.equal(writes, 1);
  bench.clock.advance(60_000);
  await settled();
  assert.equal(writes, 2);
});

test('a stored source keeps its place; a stranger is refused', async () => {
  const store = new MemoryStore();
  const before = new Bench({ ...SMALL, maxSources: 1 }, store);
  await before.detect(1, 'known');
  await before.runtime.close(false);
  const after = new Bench({ ...SMALL, maxSources: 1 }, store);
  await assert.rejects(after.detect(1, 'stranger'), { code: 'SOURCE_LIMIT' });
  await after.detect(1, 'known');
});

test('reset and a deleted node leave nothing in the store', async () => {
  const store = new MemoryStore();
  for (const forget of [
    (bench: Bench): Promise<unknown> => bench.send({ topic: '', operation: 'reset' }),
    (bench: Bench): Promise<unknown> => bench.runtime.close(true),
  ]) {
    const before = new Bench(SMALL, store);
    for (let reading = 0; reading < 250; reading++) {
      await before.detect(reading % 7, 'a');
    }
    await before.detect(1, 'b');
    await before.runtime.close(false);
    assert.ok(store.size > 0);
    const after = new Bench(SMALL, store);
    await after.detect(1, 'a');
    await forget(after);
    await after.runtime.close(false);
    assert.equal(store.size, 0);
  }
});

test('without a working store detection goes on, is said once, and recovers', async () => {
  const store = new MemoryStore();
  const bench = new Bench(SMALL, store);
  await bench.detect(0);
  store.broken = true;
  const next = machine(1, 3);
  for (let reading = 0; reading < 300; reading++) {
    assert.ok(await bench.detect(next().c0));
    bench.clock.advance(1000);
    await settled();
  }
  assert.equal(bench.logs.filter((line) => line.startsWith('STORE')).length, 1);
  assert.equal(bench.runtime.overview().storeFailed, true);
  store.broken = false;
  for (let reading = 0; reading < 120; reading++) {
    await bench.detect(next().c0);
    bench.clock.advance(1000);
    await settled();
  }
  assert.equal(bench.runtime.overview().storeFailed, false);
});

test('a store that cannot even be opened stops nothing', async () => {
  const store = new MemoryStore();
  store.broken = true;
  const bench = new Bench(SMALL, store);
  assert.equal((await bench.detect(1)).status, 'LEARNING');
  await bench.runtime.close(false);
});

test('what was learned with other channels or another shingle is not used', async () => {
  const store = new MemoryStore();
  const before = new Bench(SMALL, store);
  for (let reading = 0; reading < 60; reading++) {
    await before.detect({ a: reading % 7, b: 1 });
  }
  await before.runtime.close(false);
  const after = new Bench({ ...SMALL, channels: ['a'] }, store);
  assert.equal((await after.detect({ a: 1 })).status, 'LEARNING');
  assert.match(after.logs.join('\n'), /other channels/);
});

test('a changed alarm rate moves the threshold at once; a fixed score leaves nothing behind', async () => {
  const store = new MemoryStore();
  const next = machine(3, 8);
  /** The threshold of the last of so many readings. */
  const limit = async (change: object, readings = 1): Promise<number> => {
    const bench = new Bench({ ...SMALL, ...change }, store);
    let threshold: number | null = null;
    for (let reading = 0; reading < readings; reading++) {
      ({ threshold } = await bench.detect(next()));
    }
    await bench.runtime.close(false);
    return threshold ?? NaN;
  };
  const careful = await limit({ alarmRate: 0.0001 }, 600);
  const loose = await limit({ alarmRate: 0.1 });
  const fixed = await limit({ thresholdMode: 'score', scoreThreshold: 0.2 });
  const back = await limit({ alarmRate: 0.0001 }, 20);
  assert.ok(loose < careful, `${loose} is not below ${careful}`);
  assert.equal(fixed, 0.2);
  assert.ok(Number.isNaN(back) || back > 0.3, `threshold ${back}`);
});

test('after a change of options the stored readings are learned with the new ones', async () => {
  const changes = [
    { trees: 7 },
    { trees: 90, retrain: 3 },
    { sample: 500 },
    { history: 60, warmup: 30 },
    { history: 900, warmup: 700 },
    { reference: 20 },
    { reference: 5000 },
    { variant: 'density' },
    { variant: 'standard', trees: 5 },
    { learn: 'sliding' },
    { learn: 'reference' },
    { learn: 'both' },
    { thresholdMode: 'score' },
    { thresholdMode: 'contamination' },
  ];
  for (const learn of ['sliding', 'reference', 'both']) {
    for (const rows of [3, 35, 150, 230, 500]) {
      for (const change of changes) {
        const store = new MemoryStore();
        const before = new Bench({ ...SMALL, learn }, store);
        const next = machine(2, rows);
        for (let reading = 0; reading < rows; reading++) {
          await before.detect(next());
        }
        await before.runtime.close(false);
        const after = new Bench({ ...SMALL, learn, ...change }, store);
        const told = `${learn}, ${rows} rows, ${JSON.stringify(change)}`;
        for (let reading = 0; reading < 60; reading++) {
          const { score, status } = await after.detect(next());
          assert.ok(score === null ? status === 'LEARNING' : score > 0 && score < 1, `${told}: ${score}`);
        }
      }
    }
  }
});

test('a store that fails for a moment when a forest is read loses nothing of it', async () => {
  const store = new MemoryStore();
  const next = machine(3, 8);
  const first = new Bench(SMALL, store);
  for (let reading = 0; reading < 500; reading++) {
    await first.detect(next());
  }
  await first.runtime.close(false);
  const kept = JSON.stringify([...store.entries.values()].map((entries) => [...entries]));

  const second = new Bench(SMALL, store);
  await settled();
  store.broken = true;
  assert.equal((await second.detect(next())).status, 'LEARNING');
  store.broken = false;
  for (let reading = 0; reading < 100; reading++) {
    await second.detect(next());
    second.clock.advance(1000);
    await settled();
  }
  await second.runtime.close(false);
  assert.equal(JSON.stringify([...store.entries.values()].map((entries) => [...entries])), kept);
  const third = new Bench(SMALL, store);
  assert.equal((await third.detect(next())).status, 'OPERATIONAL');
});

test('what cannot be written when the node closes is said', async () => {
  const store = new MemoryStore();
  const bench = new Bench(SMALL, store);
  const next = machine(3, 9);
  for (let reading = 0; reading < 20; reading++) {
    await bench.detect(next());
  }
  store.broken = true;
  await bench.runtime.close(false);
  assert.ok(
    bench.logs.some((line) => /^What 1 forests learned last could not be stored/.test(line)),
    bench.logs.join(),
  );
});

test('a store whose list cannot be read at the start is left as it is', async () => {
  const store = new MemoryStore();
  const next = machine(3, 10);
  const first = new Bench(SMALL, store);
  for (let reading = 0; reading < 500; reading++) {
    await first.detect(next());
  }
  await first.runtime.close(false);
  store.broken = true;
  const second = new Bench(SMALL, store);
  await second.detect(next());
  store.broken = false;
  await second.runtime.close(false);
  const third = new Bench(SMALL, store);
  assert.equal((await third.detect(next())).status, 'OPERATIONAL');
});
