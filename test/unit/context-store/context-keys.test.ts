import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { changesFor } from '../../../nodes/context-store/changes';
import { parseContextStoreConfig } from '../../../nodes/context-store/config';
import { parsePath, valueAt, withValueAt } from '../../../nodes/context-store/property-path';
import { ContextKeys, type ReplicatedKeys } from '../../../nodes/context-store/store';
import type { Json } from '../../../nodes/crdt-state/json';
import { EdgeError } from '../../../nodes/shared/errors';

/** A replica whose disk answers when the test says so. */
class SlowReplica implements ReplicatedKeys {
  readonly kept = new Map<string, Json>();
  private readonly answers: ((error?: Error) => void)[] = [];

  peek(key: string): { exists: boolean; value: Json } {
    return { exists: this.kept.has(key), value: this.kept.get(key) ?? null };
  }

  peekKeys(prefix: string): string[] {
    return [...this.kept.keys()].filter((key) => key.startsWith(prefix));
  }

  strategyOf(): 'last_write_wins' {
    return 'last_write_wins';
  }

  write(operation: string, key: string, payload: unknown): Promise<unknown> {
    return new Promise<void>((resolve, reject) => {
      this.answers.push((error) => {
        if (error) {
          reject(error);
        } else if (operation === 'delete') {
          this.kept.delete(key);
          resolve();
        } else {
          this.kept.set(key, payload as Json);
          resolve();
        }
      });
    });
  }

  answer(error?: Error): void {
    this.answers.splice(0).forEach((settle) => settle(error));
  }
}

test('a write is seen at once, called back when it is kept, and gone again when the disk refuses it', async () => {
  const replica = new SlowReplica();
  const failures: string[] = [];
  const context = new ContextKeys(replica, (key) => failures.push(key));
  const called: unknown[] = [];
  context.set('global', 'a.b', 1, (error) => called.push(error));
  assert.deepEqual(context.get('global', 'a'), { b: 1 });
  assert.deepEqual(context.keys('global'), ['a']);
  assert.deepEqual(called, []);
  replica.answer();
  await context.settled();
  assert.deepEqual(called, [undefined]);
  assert.deepEqual(context.get('global', 'a'), { b: 1 });

  context.set('global', 'a', 'other');
  assert.equal(context.get('global', 'a'), 'other');
  replica.answer(new Error('disk full'));
  await context.settled();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(context.get('global', 'a'), { b: 1 });
  assert.deepEqual(failures, ['global/a']);
});

test('scopes do not see each other, and a scope is deleted by itself', async () => {
  const replica = new SlowReplica();
  const context = new ContextKeys(replica, () => assert.fail());
  for (const scope of ['global', 'flow1', 'node1:flow1']) {
    context.set(scope, 'name', scope);
  }
  replica.answer();
  await context.settled();
  assert.deepEqual([...replica.kept.keys()], ['global/name', 'flow/flow1/name', 'node/node1:flow1/name']);
  const deleted = context.delete('flow1');
  replica.answer();
  await deleted;
  assert.equal(context.get('flow1', 'name'), undefined);
  assert.equal(context.get('global', 'name'), 'global');
  assert.equal(context.get('node1:flow1', 'name'), 'node1:flow1');
});

test('paths are read as Node-RED writes them, and others are refused', () => {
  assert.deepEqual(parsePath('a.b[0].c'), ['a', 'b', 0, 'c']);
  assert.deepEqual(parsePath(`a["b c"]['d']`), ['a', 'b c', 'd']);
  assert.deepEqual(parsePath('plant1/count'), ['plant1/count']);
  for (const bad of ['', '.a', 'a.', 'a..b', 'a b', 'a[', 'a[b]', 'a]b', 'a.__proto__.b', '[0', 'a[""]']) {
    assert.throws(() => parsePath(bad), { code: 'INVALID_EXPR' }, bad);
  }
});

test('what is set at a path is found there, and nothing else changes', () => {
  const name = fc.constantFrom('a', 'b', 'c');
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), fc.integer(), (path, value) => {
      const before = { z: 1 };
      const after = withValueAt(structuredClone(before), path, value) as Json;
      assert.equal(valueAt(after, path), value);
      assert.equal(valueAt(after, ['z']), 1);
      const removed = withValueAt(structuredClone(after), path, undefined) as Json;
      assert.equal(valueAt(removed, path), undefined);
    }),
  );
  assert.deepEqual(withValueAt([1, 2, 3], [1], undefined), [1, 3]);
});

test('an assignment means to others what this gateway has changed', () => {
  assert.deepEqual(changesFor('counter', 10, 13), [{ operation: 'increment', payload: 3 }]);
  assert.deepEqual(changesFor('counter', 10, 10), []);
  assert.deepEqual(changesFor('counter', undefined, 0), [{ operation: 'increment', payload: 0 }]);
  assert.deepEqual(changesFor('set', ['a', 'b'], ['b', 'c']), [
    { operation: 'add', payload: ['c'] },
    { operation: 'remove', payload: ['a'] },
  ]);
  assert.deepEqual(changesFor('flag', true, false), [{ operation: 'disable' }]);
  assert.deepEqual(changesFor('mean', 1, 2), [{ operation: 'set', payload: 2 }]);
  assert.deepEqual(changesFor('counter', 10, undefined), [{ operation: 'delete' }]);
  assert.deepEqual(changesFor('counter', undefined, undefined), []);
});

test('a configuration with a mistake in it is refused by name', () => {
  const refused: [object, string][] = [
    [{ strategie: 'mean' }, 'strategie'],
    [{ strategy: 'average' }, 'strategy'],
    [{ broker: 'mqtt://broker' }, 'broker'],
    [{ broker: { url: 'http://broker' } }, 'url'],
    [{ broker: { url: 'mqtt://broker', tls: true } }, 'tls'],
  ];
  for (const [config, property] of refused) {
    assert.throws(
      () => parseContextStoreConfig(config),
      (error) =>
        error instanceof EdgeError && error.code === 'CONFIG' && error.details?.property === property,
    );
  }
  const { replica, dataDir } = parseContextStoreConfig({ settings: { userDir: '/data' } });
  assert.equal(replica.space, 'context');
  assert.equal(dataDir, '/data/edge');
});
