import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Station } from '../support/station';

test('who may only read flows neither records nor sets service levels', async () => {
  const station = await Station.start({
    flow: [{ id: 'tab', type: 'tab', label: 'x' }],
    settings: { adminAuth: { type: 'credentials', users: [], default: { permissions: 'flows.read' } } },
  });
  try {
    const status = async (method: string, path: string): Promise<number> =>
      (await fetch(`${station.url}/edge/${path}`, { method })).status;
    assert.equal(await status('POST', 'sidebar/assessment'), 401);
    assert.equal(await status('POST', 'sidebar/assessment/stop'), 401);
    assert.equal(await status('POST', 'service-levels'), 401);
    assert.equal(await status('GET', 'service-levels'), 401, 'needs edge.read');
    assert.equal(await status('GET', 'sidebar/assessment/report'), 404, 'allowed, but nothing was assessed');
  } finally {
    await station.stop();
  }
});
