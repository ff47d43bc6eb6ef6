import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PayloadSchema } from '../../../nodes/sensor-ingest/rows/schema';
import { bench } from './support';

const schema = {
  type: 'object',
  required: ['temp'],
  properties: {
    temp: { type: 'number', minimum: -40 },
    mode: { enum: ['auto', 'manual'] },
    serial: { type: 'string', pattern: '^[A-Z]{2}-\\d+$' },
    motor: { type: 'object', properties: { rpm: { type: 'integer' } }, additionalProperties: false },
  },
};

test('what does not meet the schema is refused with where and what', () => {
  const { take, refusal } = bench({ schema: JSON.stringify(schema) });
  assert.equal(take({ temp: 5, mode: 'auto', serial: 'AB-12', motor: { rpm: 3 } }).length, 1);
  const cases: [object, RegExp][] = [
    [{ rpm: 1 }, /it lacks "temp"/],
    [{ temp: '5' }, /"temp" must be of type number, but is a text/],
    [{ temp: -41 }, /"temp" must be >= -40, but is -41/],
    [{ temp: 1, mode: 'off' }, /"mode" must be one of \["auto","manual"\]/],
    [{ temp: 1, serial: 'x' }, /"serial" must match pattern/],
    [{ temp: 1, motor: { rpm: 1.5 } }, /"motor\/rpm" must be of type integer, but is a number/],
    [{ temp: 1, motor: { power: 1 } }, /"motor" has "power", which is not allowed/],
    [{ temp: 1, serial: `AB-${'1'.repeat(2000)}` }, /"serial" must match pattern/],
  ];
  for (const [payload, expected] of cases) {
    const { code, message } = refusal(payload);
    assert.equal(code, 'SCHEMA');
    assert.match(message, expected);
  }
  assert.equal(refusal([{ temp: 1 }, { rpm: 1 }]).details?.row, 1);
});

test('inherited names are not fields', () => {
  const { refusal } = bench({ schema: JSON.stringify({ required: ['toString'] }) });
  assert.equal(refusal({ v: 1 }).code, 'SCHEMA');
});

test('draft 2020-12 and draft-07 are told apart by $schema', () => {
  const tuple = { prefixItems: [{ type: 'string' }] };
  const newer = new PayloadSchema(
    JSON.stringify({ $schema: 'https://json-schema.org/draft/2020-12/schema', ...tuple }),
  );
  assert.throws(() => newer.check([1]), { code: 'SCHEMA' });
  assert.throws(() => new PayloadSchema(JSON.stringify(tuple)).check([1]), { code: 'SCHEMA' });
  const older = new PayloadSchema(
    JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', items: [{ type: 'string' }] }),
  );
  assert.throws(() => older.check([1]), { code: 'SCHEMA' });
});

test('a schema that cannot be used is a configuration error', () => {
  const bad = [
    '{',
    '[]',
    '7',
    '{"type":"nonsense"}',
    '{"$schema":"http://json-schema.org/draft-04/schema#"}',
    '{"$ref":"https://example.com/other.json"}',
    '{"properties":{"a":{"$ref":"#/$defs/none"}}}',
    '{"$async":true}',
    '{"uniqueItems":true}',
    '{"pattern":"("}',
  ];
  for (const text of bad) {
    assert.throws(() => new PayloadSchema(text), { code: 'CONFIG', message: /"schema"/ }, text);
  }
});

test('patterns that could hold up the gateway are refused, ordinary ones are not', () => {
  const withPattern = (pattern: string): PayloadSchema => new PayloadSchema(JSON.stringify({ pattern }));
  for (const pattern of ['^(a+)+$', '(a*)*', '^([a-z]+\\d*)+$', '(a|aa)*$', '((ab)+c?){3,}', '(x+){2,50}']) {
    assert.throws(() => withPattern(pattern), { code: 'CONFIG' }, pattern);
  }
  for (const pattern of [
    '^[A-Z]{2}-\\d+$',
    '^(on|off)$',
    '^\\d{4}-\\d{2}(T\\d+)?$',
    '^([a-z]\\d)+$',
    '[(+*]+',
    '\\(+a+',
  ]) {
    withPattern(pattern).check(1);
  }
});

test('a schema that refers to itself is no way to overflow the stack', () => {
  const { refusal } = bench({
    format: 'json',
    schema: JSON.stringify({ $ref: '#/$defs/n', $defs: { n: { properties: { a: { $ref: '#/$defs/n' } } } } }),
  });
  assert.equal(refusal(`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`).code, 'TOO_LARGE');
});
