import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Statistics } from '../../nodes/resilient-uplink/statistics';
import { TestRuntime } from '../support/runtime';
import { flow } from '../support/uplink-flow';

let runtime: TestRuntime;
before(async () => {
  runtime = await TestRuntime.start();
});
after(() => runtime.stop());

test('while an outage fills the outbox the status, stats and figures say how much time is left', async () => {
  await runtime.deploy(flow('uplink', [], { limitMB: 4 }));
  const feeding = setInterval(() => {
    for (let index = 0; index < 10; index++) {
      runtime.inject('uplink', { topic: 'press', payload: 'x'.repeat(500) });
    }
  }, 50);
  try {
    const text = (): string => runtime.status('uplink')?.text ?? '';
    await runtime.until(() => /stored, full in \d+ (s|min)$/.test(text()), 'the time that is left', 15_000);
    runtime.inject('uplink', { operation: 'stats' });
    const [{ payload }] = await runtime.collect('delivered-uplink', 1);
    const { fullSeconds, drainSeconds, arrivalRate, deliveryRate } = payload as Statistics;
    assert.ok(fullSeconds !== null && fullSeconds > 5 && fullSeconds < 600, String(fullSeconds));
    assert.ok(arrivalRate > 20 && arrivalRate < 400, String(arrivalRate));
    assert.equal(deliveryRate, 0);
    const { nodes } = (await (await fetch(`${runtime.url}/edge/status`)).json()) as {
      nodes: { id: string; figures: Record<string, number | null> }[];
    };
    const figures = nodes.find(({ id }) => id === 'uplink')?.figures ?? {};
    assert.ok(Math.abs((figures.edge_uplink_full_seconds ?? 0) - fullSeconds) < 60);
    assert.ok(drainSeconds === 0 || drainSeconds === null, 'nothing is delivered');
    assert.ok('edge_uplink_drain_seconds' in figures);
  } finally {
    clearInterval(feeding);
  }
});
