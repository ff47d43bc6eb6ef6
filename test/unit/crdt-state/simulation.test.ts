import { test } from 'node:test';
import { playHistory } from './play';

const SEEDS = Number(process.env['EDGE_SEEDS'] ?? 2000);
const DOUBLE_SEEDS = Math.ceil(SEEDS / 25);
/** Histories that are played again with a power cut at each of their writes. */
const POWER_CUT_SEEDS = 8;
const FIRST = Number(process.env['EDGE_SEED'] ?? 1);

test(`any history of ${SEEDS} seeds ends with all replicas level and nothing lost`, async () => {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    await playHistory(seed);
  }
});

test('a gateway and a copy of its disk that is known as one lose nothing and count nothing twice', async () => {
  for (let seed = FIRST; seed < FIRST + DOUBLE_SEEDS; seed++) {
    await playHistory(seed, { double: 'known' });
  }
});

test('a gateway and a copy that nothing tells from it find out by hearing each other', async () => {
  for (let seed = FIRST; seed < FIRST + DOUBLE_SEEDS; seed++) {
    await playHistory(seed, { double: 'alike' });
  }
});

test('the power may fail at any write to a disk, whether it took or not', async () => {
  for (let seed = 1; seed <= POWER_CUT_SEEDS; seed++) {
    const whole = await playHistory(seed, { steps: 12 });
    for (let write = 1; write <= whole.diskWrites; write++) {
      await playHistory(seed, { steps: 12, powerCut: { write, took: write % 2 === 0 } });
    }
  }
});
