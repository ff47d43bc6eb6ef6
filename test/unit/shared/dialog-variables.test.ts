import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillVariables } from '../../../nodes/shared/dialog/variables';

test('variables are filled in as Node-RED does it: whole values, in the channels table too', () => {
  const values: Record<string, unknown> = { TOLERANCE: 2, MAX: '80' };
  const filled = fillVariables(
    {
      tolerance: '${TOLERANCE}',
      topic: 'a/${TOLERANCE}',
      heartbeat: '${UNKNOWN}',
      silence: '$(MAX)',
      channels: [{ name: 'v', max: '${MAX}' }],
      window: null,
    },
    (name) => values[name],
  );
  assert.deepEqual(filled, {
    tolerance: 2,
    topic: 'a/${TOLERANCE}',
    heartbeat: '${UNKNOWN}',
    silence: '80',
    channels: [{ name: 'v', max: '80' }],
    window: null,
  });
});
