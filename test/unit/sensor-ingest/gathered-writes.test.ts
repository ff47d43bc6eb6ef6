import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatheredWrites } from '../../../nodes/sensor-ingest/mqtt/gathered-writes';

class FakeStream {
  /** What left together. */
  readonly flushed: number[][] = [];
  private corks = 0;
  private waiting: number[] = [];

  cork(): void {
    this.corks++;
  }

  uncork(): void {
    this.corks--;
    this.flush();
  }

  write(packet: number): void {
    this.waiting.push(packet);
    this.flush();
  }

  private flush(): void {
    if (this.corks === 0 && this.waiting.length > 0) {
      this.flushed.push(this.waiting.splice(0));
    }
  }
}

function start() {
  const timers: (() => void)[] = [];
  const writes = new GatheredWrites((_ms, action) => timers.push(action));
  const stream = new FakeStream();
  const write = (packet: number, to = stream): void => writes.write(to, () => to.write(packet));
  return { stream, write, elapse: () => timers.splice(0).forEach((action) => action()) };
}

test('what is written within a moment leaves together, when the moment is over', () => {
  const { stream, write, elapse } = start();
  [1, 2, 3].forEach((packet) => write(packet));
  assert.deepEqual(stream.flushed, []);
  elapse();
  write(4);
  elapse();
  assert.deepEqual(stream.flushed, [[1, 2, 3], [4]]);
});

test('a broker that waits for acknowledgements does not run dry: ten leave at once', () => {
  const { stream, write } = start();
  for (let packet = 1; packet <= 20; packet++) {
    write(packet);
  }
  assert.deepEqual(
    stream.flushed.map((together) => together.length),
    [10, 10],
  );
});

test('a new connection is not held up by what is left of the one before', () => {
  const { stream, write, elapse } = start();
  write(1);
  const next = new FakeStream();
  write(2, next);
  assert.deepEqual(stream.flushed, [[1]]);
  elapse();
  assert.deepEqual(next.flushed, [[2]]);
});
