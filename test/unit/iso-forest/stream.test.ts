import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REGIME_READINGS } from '../../../nodes/iso-forest/forest-model';
import { GrowthSchedule } from '../../../nodes/iso-forest/schedule';
import { SeededRandom } from '../../../nodes/shared/random';
import { Bench, machine } from './support';

const SMALL = {
  trees: 20,
  sample: 64,
  history: 200,
  retrain: 50,
  warmup: 40,
  reference: 200,
  persist: false,
};

test('the warm-up has no score and no threshold; then every reading has both', async () => {
  const bench = new Bench(SMALL);
  const next = machine(4, 1);
  for (let reading = 1; reading <= 300; reading++) {
    const { status, score, threshold, kind } = await bench.detect(next());
    if (reading <= 40) {
      assert.deepEqual(
        [status, score, threshold, kind],
        ['LEARNING', null, null, undefined],
        `reading ${reading}`,
      );
    } else {
      assert.ok(score !== null && score > 0 && score < 1, `reading ${reading}`);
      assert.ok(threshold !== null && threshold > 0, `reading ${reading}`);
    }
  }
});

test('healthy machines stay quiet and a channel that jumps is flagged at once, with the defaults', async () => {
  const bench = new Bench({ persist: false });
  let flagged = 0;
  let judged = 0;
  let missed = 0;
  for (let source = 0; source < 8; source++) {
    const next = machine(8, source);
    for (let reading = 0; reading < 3000; reading++) {
      const detection = await bench.detect(next(), `machine ${source}`);
      flagged += detection.kind ? 1 : 0;
      judged += detection.score === null ? 0 : 1;
      if (reading % 300 === 299) {
        const fault = { ...next(), c2: 10 + 12 };
        missed += (await bench.detect(fault, `machine ${source}`)).kind ? 0 : 1;
      }
    }
  }
  assert.ok(flagged / judged < 0.001, `${flagged} of ${judged} healthy readings flagged (seeds 0–7)`);
  assert.ok(missed <= 4, `${missed} of 80 planted readings missed (seeds 0–7)`);
});

test('one reading at a time, in batches and mixed with other sources: the same scores', async () => {
  for (const learn of ['sliding', 'reference', 'both']) {
    const next = machine(3, 7);
    const readings = Array.from({ length: 450 }, next);
    const single = new Bench({ ...SMALL, learn });
    const expected: (number | null)[] = [];
    for (const reading of readings) {
      expected.push((await single.detect(reading)).score);
      await single.detect({ other: expected.length }, 'other');
    }
    const batched = new Bench({ ...SMALL, learn });
    const actual: (number | null)[] = [];
    for (let at = 0; at < readings.length; at += 90) {
      const sent = await batched.send({ topic: 'machine', payload: readings.slice(at, at + 90) });
      const rows = sent.flatMap(
        ({ detection }) => detection as unknown as { index: number; score: number | null }[],
      );
      actual.push(...rows.sort((a, b) => a.index - b.index).map(({ score }) => score));
    }
    assert.deepEqual(actual, expected, learn);
  }
});

test('another seed gives other scores, the same seed the same', async () => {
  const readings = Array.from({ length: 60 }, machine(3, 9));
  const last = async (seed: number): Promise<number | null> => {
    const bench = new Bench({ ...SMALL, seed });
    let score: number | null = null;
    for (const reading of readings) {
      ({ score } = await bench.detect(reading));
    }
    return score;
  };
  assert.equal(await last(42), await last(42));
  assert.notEqual(await last(42), await last(43));
});

test('a fault that creeps in is learned by a sliding window and not by a reference', async () => {
  const shown = async (learn: string): Promise<boolean> => {
    const bench = new Bench({ ...SMALL, learn, thresholdMode: 'score', scoreThreshold: 1 });
    const next = machine(3, 4);
    let score = 0;
    for (let reading = 0; reading < 1500; reading++) {
      const drift = Math.max(0, reading - 500) * 0.01;
      const values = next();
      score = (await bench.detect({ ...values, c0: values.c0 + drift })).score ?? 0;
    }
    return score > 0.65;
  };
  assert.equal(await shown('sliding'), false);
  assert.equal(await shown('both'), true);
});

test('flagged readings do not teach, until the stated number makes it a new regime that is learned', async () => {
  const bench = new Bench(SMALL);
  const next = machine(3, 2);
  for (let reading = 0; reading < 600; reading++) {
    await bench.detect(next());
  }
  const moved = (): object => {
    const values = next();
    return { c0: values.c0 + 40, c1: values.c1 + 40, c2: values.c2 + 40 };
  };
  for (let reading = 1; reading < REGIME_READINGS; reading++) {
    assert.equal((await bench.detect(moved())).kind, 'NOVEL_ANOMALY', `reading ${reading}`);
  }
  const [announced] = await bench.send({ topic: 'machine', payload: moved() });
  assert.deepEqual([announced.output, announced.detection.regime], [0, 'new']);
  assert.equal(bench.logs.filter((line) => line.includes('learning anew')).length, 1);
  for (let reading = 0; reading < SMALL.warmup; reading++) {
    const { status, regime } = await bench.detect(moved());
    assert.deepEqual([status, regime], ['LEARNING', undefined]);
  }
  let flagged = 0;
  for (let reading = 0; reading < 300; reading++) {
    flagged += (await bench.detect(moved())).kind ? 1 : 0;
  }
  assert.ok(flagged <= 2, `${flagged} of 300 flagged in the new regime`);
});

test('a finished reference under "reference" never gives way', async () => {
  const bench = new Bench({ ...SMALL, learn: 'reference' });
  const next = machine(2, 2);
  for (let reading = 0; reading < 600; reading++) {
    await bench.detect(next());
  }
  for (let reading = 0; reading < REGIME_READINGS + 100; reading++) {
    assert.equal((await bench.detect({ c0: 90, c1: 90 })).kind, 'NOVEL_ANOMALY');
  }
});

test('a memory of at most 300 KB a source with eight channels, in every phase', async () => {
  const bench = new Bench({ persist: false });
  const next = machine(8, 1);
  const { table } = bench.runtime as unknown as {
    table: { forest(key: string): { model: { bytes: number } } };
  };
  let most = 0;
  for (let reading = 0; reading < 1500; reading++) {
    await bench.detect(next());
    most = Math.max(most, table.forest('machine').model.bytes);
  }
  assert.ok(most < 300_000, `${most} bytes`);
});

test('no reading grows more than the stated number of rows into trees, whatever the options', () => {
  for (const options of [
    { trees: 1000, sample: 256, warmup: 100, retrain: 1 },
    { trees: 100, sample: 256, warmup: 100, retrain: 100 },
    { trees: 1, sample: 4096, warmup: 2, retrain: 1 },
    { trees: 300, sample: 4096, warmup: 10, retrain: 10 },
    { trees: 100, sample: 256, warmup: 100, retrain: 100, learn: 'both' as const, phase: 0.9999 },
    { trees: 7, sample: 64, warmup: 50, retrain: 1000, phase: 0.4 },
  ]) {
    const schedule = new GrowthSchedule(options);
    let before = 0;
    for (let rows = 1; rows < 3000; rows++) {
      const due = schedule.dueBy(rows);
      assert.ok(
        (due - before) * options.sample <= 8192,
        `${due - before} trees at ${rows}: ${JSON.stringify(options)}`,
      );
      for (let tree = before + 1; tree <= due; tree++) {
        assert.ok(
          schedule.dueAt(tree) <= rows && schedule.dueAt(tree) > rows - 1 - 1e-9,
          `tree ${tree} at ${rows}`,
        );
      }
      before = due;
    }
    assert.ok(schedule.dueBy(schedule.ready) >= options.trees);
  }
});

test('sources that begin together and are read together do not all grow a tree at the same reading', async () => {
  const SOURCES = 200;
  for (const learn of ['sliding', 'both']) {
    // A tree of each source every ten readings.
    const bench = new Bench({ ...SMALL, learn, retrain: learn === 'sliding' ? 200 : 34 });
    const { table } = bench.runtime as unknown as {
      table: { forest(key: string): { model: { trees: number } } };
    };
    const sources = Array.from({ length: SOURCES }, (_, source) => ({
      name: `machine ${source}`,
      next: machine(2, source),
    }));
    let before = 0;
    for (let reading = 1; reading <= 700; reading++) {
      for (const { name, next } of sources) {
        await bench.detect(next(), name);
      }
      const grown = sources.reduce((sum, { name }) => sum + table.forest(name).model.trees, 0);
      if (reading > 50) {
        const most = SOURCES / 4;
        assert.ok(grown - before <= most, `${grown - before} trees at reading ${reading}, ${learn}`);
      }
      before = grown;
    }
  }
});

test('a machine that runs and rests: a state that the warm-up did not see becomes part of the reference', async () => {
  for (const learn of ['both', 'reference']) {
    const bench = new Bench({ learn, persist: false });
    const random = new SeededRandom(5);
    let late = 0;
    for (let reading = 0; reading < 4000; reading++) {
      const runs = Math.floor(reading / 150) % 2 === 1;
      const current = (runs ? 12 : 0) + 0.1 * random.normal();
      const temperature = (runs ? 60 : 25) + 0.3 * random.normal();
      const { kind } = await bench.detect({ current, temperature });
      late += kind && reading >= 1500 ? 1 : 0;
    }
    assert.ok(late <= 5, `${learn}: ${late} of 2500 healthy readings flagged (seed 5)`);
  }
});

test('a switch that is hardly ever on raises no storm, in a sliding window too', async () => {
  for (const seed of [9, 11]) {
    const bench = new Bench({ learn: 'sliding', persist: false });
    const random = new SeededRandom(seed);
    let flagged = 0;
    for (let reading = 0; reading < 3000; reading++) {
      const on = random.next() < 0.01 ? 1 : 0;
      const { kind } = await bench.detect({ on });
      flagged += kind && on === 0 ? 1 : 0;
    }
    assert.equal(flagged, 0, `seed ${seed}`);
  }
});

test('a source that stands still is not flagged, whatever the threshold is set from', async () => {
  for (const thresholdMode of ['auto', 'contamination', 'score']) {
    for (const learn of ['both', 'sliding', 'reference']) {
      const bench = new Bench({ ...SMALL, thresholdMode, learn });
      for (let reading = 0; reading < 800; reading++) {
        const { kind, score } = await bench.detect({ pressure: 5, valve: 0 });
        assert.equal(kind, undefined, `${thresholdMode} ${learn} reading ${reading}`);
        assert.ok(score === null || Number.isFinite(score));
      }
    }
  }
});
