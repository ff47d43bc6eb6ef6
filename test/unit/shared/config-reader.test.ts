import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConfigReader } from '../../../nodes/shared/config-reader';
import { EdgeError } from '../../../nodes/shared/errors';

const refusesNaming = (property: string) => (thrown: unknown) =>
  thrown instanceof EdgeError && thrown.code === 'CONFIG' && thrown.message.includes(`"${property}"`);

test('absent and empty properties take their defaults', () => {
  const config = new ConfigReader({ empty: '', nothing: null });
  for (const name of ['empty', 'nothing', 'absent']) {
    assert.equal(config.number(name, 7), 7);
    assert.equal(config.text(name, 'x'), 'x');
    assert.equal(config.flag(name, true), true);
    assert.equal(config.optionalNumber(name), undefined);
    assert.deepEqual(config.texts(name, ['a']), ['a']);
  }
});

test('numbers are read from text, as the editor stores them', () => {
  const config = new ConfigReader({ size: '12', rate: '0.5' });
  assert.equal(config.number('size', 0, { integer: true }), 12);
  assert.equal(config.number('rate', 0), 0.5);
});

test('a wrong property is refused by its name', () => {
  const config = new ConfigReader({ n: 'many', low: -1, half: 0.5, mode: 'sometimes', list: 3, yes: 'ja' });
  assert.throws(() => config.number('n', 0), refusesNaming('n'));
  assert.throws(() => config.number('low', 0, { min: 0 }), refusesNaming('low'));
  assert.throws(() => config.number('half', 0, { integer: true }), refusesNaming('half'));
  assert.throws(() => config.choice('mode', ['never', 'always'], 'never'), refusesNaming('mode'));
  assert.throws(() => config.texts('list'), refusesNaming('list'));
  assert.throws(() => config.flag('yes', false), refusesNaming('yes'));
});

test('lists are read from arrays and from text with one entry a line', () => {
  const config = new ConfigReader({ a: ['x', ' y '], b: 'x\n y \n\n', c: 'x, y' });
  for (const name of ['a', 'b', 'c']) {
    assert.deepEqual(config.texts(name), ['x', 'y']);
  }
});

test('whatever a flow file holds, reading gives a value of the right type or CONFIG', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      const config = new ConfigReader({ p: value });
      for (const read of [
        () => typeof config.number('p', 1) === 'number',
        () => typeof config.text('p') === 'string',
        () => typeof config.flag('p', false) === 'boolean',
        () => Array.isArray(config.texts('p')),
        () => Array.isArray(config.list('p', (entry) => entry.text('name'))),
      ]) {
        try {
          assert.ok(read());
        } catch (thrown) {
          assert.ok(thrown instanceof EdgeError && thrown.code === 'CONFIG', String(thrown));
        }
      }
    }),
  );
});

test('inherited properties are not configuration', () => {
  assert.equal(new ConfigReader(JSON.parse('{"__proto__": {"size": 5}}')).number('size', 1), 1);
  assert.equal(new ConfigReader({}).text('constructor', 'none'), 'none');
});
