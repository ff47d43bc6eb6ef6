import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EdgeError } from '../../../nodes/shared/errors';
import { HybridClock } from '../../../nodes/crdt-state/hybrid-clock';
import { writeKey, type WriteOperation } from '../../../nodes/crdt-state/operations';
import { newImage, Replica } from '../../../nodes/crdt-state/replica';
import { joinSiblings, type Siblings } from '../../../nodes/crdt-state/sibling';
import { readMerged, STRATEGIES, StrategyBook, type Strategy } from '../../../nodes/crdt-state/strategies';

/** Siblings that three replicas wrote without knowing of each other, the second with the latest time. */
function concurrent(...values: unknown[]): Siblings {
  const stamps = [5, 9, 7];
  return values.map((value, index) => ({
    replica: `${'abc'[index]}.000000000000`,
    counter: 1,
    stamp: stamps[index],
    text: JSON.stringify(value),
  }));
}

function merged(strategy: Strategy, ...values: unknown[]): unknown {
  return readMerged(strategy, concurrent(...values)).value;
}

function newReplica(): Replica {
  return new Replica(newImage('a.000000000000'), new HybridClock(() => 0));
}

function code(work: () => void): string {
  try {
    work();
  } catch (thrown) {
    assert.ok(thrown instanceof EdgeError);
    return thrown.code;
  }
  return '';
}

test('each strategy makes of three concurrent writes what the dialog says', () => {
  assert.equal(merged('last_write_wins', 10, 20, 60), 20);
  assert.equal(merged('mean', 10, 20, 60), 30);
  assert.equal(merged('min', 10, 20, 60), 10);
  assert.equal(merged('max', 10, 20, 60), 60);
  assert.deepEqual(merged('union', [1, 2], [2], [3]), [1, 2, 3]);
  assert.equal(merged('counter', 10, 20, 60), 90);
  assert.equal(merged('flag', false, true, false), true);
  assert.equal(merged('mean', 1e308, 1.5e308), 1.25e308);
});

test('a value that does not suit the strategy breaks no read', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...STRATEGIES),
      fc.array(fc.jsonValue(), { minLength: 1, maxLength: 3 }),
      (strategy, values) => {
        assert.notEqual(JSON.stringify(merged(strategy, ...values)), undefined);
      },
    ),
  );
});

test('reading does not depend on the order in which writes arrived', () => {
  const none = new Map<string, number>();
  const all = concurrent([3, 'b'], [1], ['a', null]);
  const orders = [
    [0, 1, 2],
    [2, 0, 1],
    [1, 2, 0],
  ];
  for (const strategy of STRATEGIES) {
    const read = orders.map((order) =>
      readMerged(
        strategy,
        order.reduce<Siblings>((joined, index) => joinSiblings(joined, none, [all[index]], none), []),
      ),
    );
    assert.deepEqual(read[1], read[0]);
    assert.deepEqual(read[2], read[0]);
  }
});

test('the first rule that matches decides, and its hash tells rules apart', () => {
  const rules = [
    { pattern: 'plant1/+/count', strategy: 'counter' as const },
    { pattern: 'plant1/#', strategy: 'mean' as const },
  ];
  const book = new StrategyBook('last_write_wins', rules);
  assert.equal(book.of('plant1/a/count'), 'counter');
  assert.equal(book.of('plant1/a/load'), 'mean');
  assert.equal(book.of('plant2/a/count'), 'last_write_wins');
  assert.equal(new StrategyBook('last_write_wins', [...rules]).hash, book.hash);
  assert.notEqual(new StrategyBook('last_write_wins', [...rules].reverse()).hash, book.hash);
  assert.notEqual(new StrategyBook('mean', rules).hash, book.hash);
});

test('an operation that the strategy does not have is refused and changes nothing', () => {
  const refused: [Strategy, WriteOperation, unknown, string][] = [
    ['set', 'increment', 1, 'STRATEGY'],
    ['last_write_wins', 'decrement', 1, 'STRATEGY'],
    ['counter', 'add', 'x', 'STRATEGY'],
    ['union', 'remove', 'x', 'STRATEGY'],
    ['mean', 'enable', undefined, 'STRATEGY'],
    ['counter', 'resolve', undefined, 'STRATEGY'],
    ['mean', 'set', '12', 'VALUE'],
    ['counter', 'set', null, 'VALUE'],
    ['counter', 'increment', 'many', 'VALUE'],
    ['flag', 'set', 1, 'VALUE'],
    ['set', 'set', 'x', 'VALUE'],
    ['last_write_wins', 'set', undefined, 'VALUE'],
    ['last_write_wins', 'set', NaN, 'VALUE'],
    ['last_write_wins', 'set', { deep: [Infinity] }, 'VALUE'],
    ['last_write_wins', 'set', () => 1, 'VALUE'],
    ['last_write_wins', 'set', 10n, 'VALUE'],
    ['last_write_wins', 'set', Buffer.from('x'), 'VALUE'],
    ['last_write_wins', 'set', 'x'.repeat(70_000), 'VALUE'],
  ];
  for (const [strategy, operation, payload, expected] of refused) {
    const replica = newReplica();
    const what = `${operation} ${typeof payload} on ${strategy}`;
    assert.equal(
      code(() => writeKey(replica, strategy, operation, 'key', payload)),
      expected,
      what,
    );
    assert.equal(replica.size, 0, what);
    assert.equal(replica.counter, 0, what);
  }
});

test('a topic that is no key is refused', () => {
  for (const key of ['', undefined, 7, 'x'.repeat(1025), 'a\u0000b', '\ud800']) {
    assert.equal(
      code(() => writeKey(newReplica(), 'last_write_wins', 'set', key as string, 1)),
      'VALUE',
    );
  }
});

test('counters count, sets hold their elements, flags switch', () => {
  const replica = newReplica();
  const write = (strategy: Strategy, operation: WriteOperation, payload?: unknown): unknown => {
    writeKey(replica, strategy, operation, strategy, payload);
    return readMerged(strategy, replica.siblings(strategy)).value;
  };
  assert.equal(write('counter', 'increment'), 1);
  assert.equal(write('counter', 'increment', 41), 42);
  assert.equal(write('counter', 'decrement', 2), 40);
  assert.equal(write('counter', 'set', 5), 5);
  assert.equal(replica.siblings('counter').length, 1);
  assert.deepEqual(write('set', 'add', ['b', 'a', { x: 1, y: 2 }]), ['a', 'b', { x: 1, y: 2 }]);
  assert.deepEqual(write('set', 'remove', { y: 2, x: 1 }), ['a', 'b']);
  assert.deepEqual(write('set', 'remove', ['a', 'b']), []);
  assert.deepEqual(write('set', 'add', 'c'), ['c']);
  assert.equal(write('flag', 'enable'), true);
  assert.equal(write('flag', 'disable'), false);
});

test('resolve keeps the merged value or the one that is given, and never brings a deleted key back', () => {
  const replica = newReplica();
  const other = new Map([['b.000000000000', 1]]);
  const conflict = (): void => {
    writeKey(replica, 'mean', 'set', 'load', 10);
    const remote = [{ replica: 'b.000000000000', counter: 1, stamp: 3, text: '30' }];
    const delta = { sender: 'b.000000000000', from: 0, context: other, entries: [['load', remote]] as const };
    assert.ok(replica.joinDelta(delta).next().done);
  };
  conflict();
  assert.equal(replica.siblings('load').length, 2);
  writeKey(replica, 'mean', 'resolve', 'load', undefined);
  assert.deepEqual(
    replica.siblings('load').map(({ text }) => text),
    ['20'],
  );
  writeKey(replica, 'mean', 'resolve', 'load', 25);
  assert.equal(readMerged('mean', replica.siblings('load')).value, 25);
  writeKey(replica, 'mean', 'delete', 'load', undefined);
  writeKey(replica, 'mean', 'resolve', 'load', undefined);
  assert.equal(readMerged('mean', replica.siblings('load')).exists, false);
});

test('a wrong clock moves stamps by the bound at most', () => {
  let now = 1000;
  const clock = new HybridClock(() => now, 50);
  clock.observe(2 ** 50);
  assert.ok(clock.next() <= (1000 + 50) * 1024);
  now = 500;
  assert.ok(clock.next() <= (500 + 50) * 1024);
  now = 2000;
  assert.equal(clock.next(), 2000 * 1024);
  assert.equal(clock.next(), 2000 * 1024 + 1);
});
