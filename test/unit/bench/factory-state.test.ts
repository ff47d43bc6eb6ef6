import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factoryFlow } from '../../../bench/factory/flow';
import { isShared, type StateFigures } from '../../../bench/factory/shared-state';
import { doneLine, sentLine, StateOracle, type SentWrite } from '../../../bench/factory/state-oracle';
import { StateWrites } from '../../../bench/factory/state-writes';
import type { Detection } from '../../../nodes/shared/messages';
import type { FlowNode } from '../../support/runtime';
import { TEMPLATE } from '../../support/template';

const count = (number: number, key: string, amount: number): SentWrite => ({
  ...{ number, key, amount, operation: 'increment' },
});
const set = (number: number, key: string): SentWrite => ({ number, key, amount: 0, operation: 'set' });
const log = (sent: readonly SentWrite[], done: readonly number[]): string =>
  [...sent.map(sentLine), ...done.map(doneLine)].join('');
const by = (gateway: string, number: number): object => ({ status: 'OPERATIONAL', gateway, number });

function detection(source: string, rest: Partial<Detection> = {}): Detection {
  return {
    ...{ detector: 'iso-forest', node: 'n', status: 'OPERATIONAL', score: 0.4, threshold: 0.6 },
    ...{ source, ts: 5, latencyMs: 1 },
    ...rest,
  };
}

test('a count lacks acknowledged increments of any gateway, and may hold those without an answer', () => {
  const oracle = new StateOracle(
    new Map([
      ['a', log([count(1, 'plant/judged', 5), count(2, 'plant/judged', 2)], [1])],
      ['b', log([count(1, 'plant/judged', 10)], [1])],
    ]),
  );
  assert.deepEqual([oracle.sent, oracle.acknowledged], [3, 2]);
  for (const judged of [15, 17]) {
    assert.equal(oracle.missing({ 'plant/judged': judged }).size, 0);
    assert.deepEqual(oracle.invented({ 'plant/judged': judged }), []);
  }
  assert.deepEqual([...oracle.missing({ 'plant/judged': 14 }).keys()], ['plant/judged']);
  assert.equal(oracle.missing({}).size, 1);
  assert.deepEqual(oracle.invented({ 'plant/judged': 18 }), ['plant/judged']);
});

test('a value that its own writer has replaced is a lost write, another gateway’s value is not', () => {
  const oracle = new StateOracle(
    new Map([
      ['a', log([set(1, 'plant/latest'), set(2, 'plant/latest'), set(3, 'plant/latest')], [1, 2])],
      ['b', log([set(1, 'plant/latest'), set(4, 'status/m1')], [1])],
    ]),
  );
  const holding = (value: object): number => oracle.missing({ 'plant/latest': value }).size;
  assert.equal(holding(by('a', 1)), 1);
  assert.equal(holding(by('a', 2)), 0);
  assert.equal(holding(by('a', 3)), 0);
  assert.equal(holding(by('b', 1)), 0);
  // Nobody has promised that this is there.
  assert.equal(oracle.missing({ 'plant/latest': by('b', 1), 'status/m1': undefined }).size, 0);
  assert.deepEqual(oracle.invented({ 'plant/latest': by('a', 4), other: 1, 'status/m1': by('b', 4) }), [
    'plant/latest',
    'other',
  ]);
});

test('a line that a kill cut off counts for nothing', () => {
  const oracle = new StateOracle(new Map([['a', log([count(1, 'k', 1)], []) + 'done\t1']]));
  assert.equal(oracle.acknowledged, 0);
  assert.equal(oracle.missing({}).size, 0);
});

test('sources take turns, a status is written when it changes, and the plant at every turn', () => {
  const writes = new StateWrites(1);
  const topics = (): string[] => writes.due().map(({ topic, payload }) => `${topic} ${String(payload)}`);
  writes.take(detection('m1'));
  writes.take(detection('m2', { kind: 'NOVEL_ANOMALY', episode: { id: 'e', phase: 'start', start: 5 } }));
  writes.take(detection('m1'));
  assert.deepEqual(topics(), [
    'judged/m1 2',
    'status/m1 [object Object]',
    'plant/judged 3',
    'plant/latest [object Object]',
    'alerts/NOVEL_ANOMALY 1',
  ]);
  assert.deepEqual(topics(), ['judged/m2 1', 'status/m2 [object Object]']);
  assert.deepEqual(topics(), []);
  writes.take(detection('m1'));
  assert.deepEqual(topics(), ['judged/m1 1', 'plant/judged 1', 'plant/latest [object Object]']);
  writes.take(detection('m1', { status: 'MAINTENANCE_REQUIRED' }));
  assert.ok(topics().includes('status/m1 [object Object]'));
  writes.take(detection('m1'));
  writes.take(detection('m2'));
  assert.deepEqual(
    writes.last().map(({ topic }) => topic),
    ['judged/m1', 'status/m1', 'judged/m2', 'plant/judged', 'plant/latest', 'plant/stops'],
  );
});

test('the flow shares state only where it is asked to, and is the template otherwise', () => {
  const options = {
    ...{ machinesUrl: 'mqtt://a', cloudUrl: 'mqtt://b', gateway: 0, gateways: 2 },
    waveQos: 1,
  } as const;
  const alone = factoryFlow(options);
  const shared = factoryFlow({ ...options, stateFolder: '/tmp/logs' });
  const state = (flow: FlowNode[]): FlowNode => flow.find(({ id }) => id === TEMPLATE.state) as FlowNode;
  assert.equal(state(alone).transport, 'wire');
  assert.ok(!alone.some(({ type }) => type.startsWith('bench-state')));
  assert.equal(state(shared).transport, 'mqtt');
  // Every write goes past the log, and nothing else is wired to the replica.
  const into = shared.filter(({ wires }) =>
    (wires as string[][] | undefined)?.flat().includes(TEMPLATE.state),
  );
  assert.deepEqual(
    into.map(({ type }) => type),
    ['bench-state-sent'],
  );
});

test('a run with unequal or missing state is not passed', () => {
  const figures = {
    ...{ gateways: 2, keys: 3, levelAfterRestartSeconds: 2, levelAtEndSeconds: 1 },
    ...{ digests: ['a', 'a'], missing: [], invented: [], differing: [] },
  } as unknown as StateFigures;
  assert.equal(isShared(figures), true);
  for (const worse of [
    { digests: ['a', 'b'] },
    { missing: ['k'] },
    { invented: ['k'] },
    { levelAfterRestartSeconds: null },
    { levelAtEndSeconds: null },
    { keys: 0 },
  ]) {
    assert.equal(isShared({ ...figures, ...worse }), false, JSON.stringify(worse));
  }
});
