import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { Host } from '../../../nodes/edge-gateway/host';
import { systemClock } from '../../../nodes/shared/clock';

/** Keeps the event loop from its timers. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test('a delay of the event loop is told at the first look after it, and forgotten after a rest', async () => {
  // The clock's own timers keep no process alive.
  const alive = setInterval(() => undefined, 1000);
  const host = new Host(systemClock);
  const first = host.figures(tmpdir());
  setTimeout(() => block(150), 30);
  const { eventLoopMaxMs = 0, eventLoopP99Ms = 0, cpu } = await first;
  assert.ok(eventLoopMaxMs > 100 && eventLoopP99Ms > 100, `max ${eventLoopMaxMs}, p99 ${eventLoopP99Ms}`);
  assert.ok(cpu > 0);
  host.rest();
  const again = await host.figures(tmpdir());
  assert.ok((again.eventLoopMaxMs ?? Infinity) < eventLoopMaxMs);
  host.rest();
  clearInterval(alive);
});
