import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applySettings } from '../../../nodes/edge-gateway/remote/applier';
import { EdgeError } from '../../../nodes/shared/errors';
import { Figures } from '../../../nodes/shared/figures';
import type { StationEntry } from '../../../nodes/shared/station';

type Settings = Readonly<Record<string, unknown>>;

/** A node that says what it runs with, and refuses `broken`. */
function node(id: string, name = '', gatewayNode = ''): StationEntry & { runsWith: Settings[] } {
  const runsWith: Settings[] = [];
  return {
    ...{ id, type: 'iso-forest', name, gateway: () => undefined, figures: new Figures(), runsWith },
    status: () => undefined,
    adjustment: {
      properties: ['rate', 'broken', 'model', 'digest'],
      gatewayNode,
      check: ({ rate }) => {
        if (rate === 'much') {
          throw new EdgeError('CONFIG', 'Property "rate" must be a number.');
        }
      },
      apply: (settings) => {
        if (settings.broken) {
          return Promise.reject(new EdgeError('MODEL_INVALID', 'It does not load.'));
        }
        runsWith.push(settings);
        return Promise.resolve();
      },
    },
  };
}

function settings(byNode: Record<string, Settings>): Map<string, Settings> {
  return new Map(Object.entries(byNode));
}

test('nodes are set by id and by name, the id going first, and only where something changes', async () => {
  const nodes = [node('a', 'line'), node('b', 'line'), node('c')];
  const first = settings({ line: { rate: 1 }, a: { rate: 2 } });
  await applySettings(settings({}), first, nodes, 'gw');
  await applySettings(first, settings({ line: { rate: 1 } }), nodes, 'gw');
  assert.deepEqual(
    nodes.map(({ runsWith }) => runsWith),
    [[{ rate: 2 }, { rate: 1 }], [{ rate: 1 }], []],
  );
});

test('what a document does not mention any more is as the flow says', async () => {
  const [one] = [node('a')];
  await applySettings(settings({ a: { rate: 1 } }), settings({}), [one], 'gw');
  assert.deepEqual(one.runsWith, [{}]);
});

test('all or nothing: when one node refuses, those before it go back', async () => {
  const nodes = [node('a'), node('b')];
  const before = settings({ a: { rate: 1 } });
  const after = settings({ a: { rate: 2 }, b: { broken: true } });
  await assert.rejects(applySettings(before, after, nodes, 'gw'), { code: 'MODEL_INVALID', message: /^b: / });
  assert.deepEqual(nodes[0].runsWith, [{ rate: 2 }, { rate: 1 }]);
});

test('nothing is applied when any setting is wrong, unknown or without its digest', async () => {
  const nodes = [node('a'), node('b'), node('c', '', 'another gateway')];
  const digest = 'f'.repeat(64);
  for (const [wrong, code] of [
    [{ b: { rate: 'much' } }, 'CONFIG'],
    [{ b: { trees: 5 } }, 'REMOTE_SETTING'],
    [{ b: { model: 'models/other.onnx' } }, 'REMOTE_SETTING'],
    [{ c: { rate: 1 } }, 'REMOTE_NODE'],
    [{ nobody: { rate: 1 } }, 'REMOTE_NODE'],
  ] as const) {
    const wanted = settings({ a: { rate: 1 }, ...wrong });
    await assert.rejects(applySettings(settings({}), wanted, nodes, 'gw'), { code });
  }
  assert.deepEqual(
    nodes.flatMap(({ runsWith }) => runsWith),
    [],
  );
  await applySettings(settings({}), settings({ b: { model: 'models/other.onnx', digest } }), nodes, 'gw');
  assert.equal(nodes[1].runsWith.length, 1);
});
