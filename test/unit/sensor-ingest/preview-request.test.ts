import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDialogRequest } from '../../../nodes/sensor-ingest/preview/request';
import { NOON } from './support';

test('samples without an arrival time arrive now', () => {
  const { samples } = parseDialogRequest(
    {
      properties: {},
      samples: [
        { topic: 'a', encoding: 'text', payload: '1' },
        { encoding: 'hex', payload: '00', at: 5 },
      ],
    },
    NOON,
  );
  assert.deepEqual(samples, [
    { topic: 'a', at: NOON, encoding: 'text', payload: '1' },
    { topic: '', at: 5, encoding: 'hex', payload: '00' },
  ]);
});

test('without samples the node’s own recording is meant', () => {
  const asked = parseDialogRequest(
    { properties: { window: 'none' }, node: 'n', plot: { channel: 'x' } },
    NOON,
  );
  assert.deepEqual(asked, {
    node: 'n',
    properties: { window: 'none' },
    samples: undefined,
    plot: { source: undefined, channel: 'x' },
  });
});

test('what is no request is refused with the reason', () => {
  for (const [body, reason] of [
    [undefined, /no properties/],
    [[], /no properties/],
    [{ properties: 'x' }, /no properties/],
    [{ properties: {}, samples: {} }, /no list/],
    [{ properties: {}, samples: [null] }, /a sample needs/],
    [{ properties: {}, samples: [{ encoding: 'text', payload: 7 }] }, /a sample needs/],
    [{ properties: {}, samples: [{ encoding: 'utf16', payload: '' }] }, /text, base64, hex, json/],
  ] as const) {
    assert.throws(() => parseDialogRequest(body, NOON), { code: 'REQUEST', message: reason });
  }
});

test('too much is refused before anything is made of it', () => {
  const sample = { encoding: 'text', payload: '1' };
  const samples = new Array<object>(301).fill(sample);
  assert.throws(() => parseDialogRequest({ properties: {}, samples }, NOON), { code: 'TOO_LARGE' });
  const long = [{ ...sample, payload: 'x'.repeat(2_200_000) }];
  assert.throws(() => parseDialogRequest({ properties: {}, samples: long }, NOON), { code: 'TOO_LARGE' });
  const properties = { schema: 'x'.repeat(3_200_000) };
  assert.throws(() => parseDialogRequest({ properties }, NOON), { code: 'TOO_LARGE', message: /schema/ });
});
