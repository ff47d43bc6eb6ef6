import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameCodec } from '../../../nodes/crdt-state/frames';
import { EdgeError } from '../../../nodes/shared/errors';

/** Frames of version 1 as the first release sent them: hexadecimal, of the space "line", without and with a key. */
const VERSION_1 = {
  open: {
    delta:
      '01009592b6676174657761792d612e303132333435363738396162b6676174657761792d622e62613938373635343332313000920703049792a95f5f70726f746f5f5fac706c616e74312f636f756e7492020193000100930703060093cb4318bcfe56800004cb4318bcfe568000000093af7b225f5f70726f746f5f5f223a317dc0a431322e35',
    vector:
      '01019592b6676174657761792d612e303132333435363738396162b6676174657761792d622e62613938373635343332313000920703a6616263646566c3',
    request:
      '01029692b6676174657761792d612e303132333435363738396162b6676174657761792d622e62613938373635343332313000920703b6676174657761792d622e62613938373635343332313005920102',
    reply:
      '01039992b6676174657761792d612e303132333435363738396162b6676174657761792d622e62613938373635343332313000920703b6676174657761792d622e6261393837363534333231300500029200029792a95f5f70726f746f5f5fac706c616e74312f636f756e7492020193000100930703060093cb4318bcfe56800004cb4318bcfe568000000093af7b225f5f70726f746f5f5f223a317dc0a431322e35',
    farewell: '01049391b6676174657761792d612e303132333435363738396162009100',
  },
  /** The space key is "secret". */
  keyed: {
    delta:
      '01809592b6676174657761792d612e303132333435363738396162b6676174657761792d622e62613938373635343332313000920703049792a95f5f70726f746f5f5fac706c616e74312f636f756e7492020193000100930703060093cb4318bcfe56800004cb4318bcfe568000000093af7b225f5f70726f746f5f5f223a317dc0a431322e35dc607b129942a9cb51d916ed0264bfedd0ba973729007fcb5434a218b75a2fa9',
    vector:
      '01819592b6676174657761792d612e303132333435363738396162b6676174657761792d622e62613938373635343332313000920703a6616263646566c3915d9b74f041b56bf7a067f927f0d1bd1ac7c72a20d3a5a5b4ac28088effc26e',
    request:
      '01829692b6676174657761792d612e303132333435363738396162b6676174657761792d622e62613938373635343332313000920703b6676174657761792d622e6261393837363534333231300592010232621d25a7e02141eaa3a4a03255b1b3eac6ed2e2f5ee11295fed4db0c649764',
    reply:
      '01839992b6676174657761792d612e303132333435363738396162b6676174657761792d622e62613938373635343332313000920703b6676174657761792d622e6261393837363534333231300500029200029792a95f5f70726f746f5f5fac706c616e74312f636f756e7492020193000100930703060093cb4318bcfe56800004cb4318bcfe568000000093af7b225f5f70726f746f5f5f223a317dc0a431322e35d042850923bf7620edbb832961b86f3a6e3708b5628fa1cf99acf66bd9f09ed6',
    farewell:
      '01849391b6676174657761792d612e303132333435363738396162009100795bce19513165e57481a9deb8b744b43cf2d9a5fae2d656dd7ef8aa96b60681',
  },
};

const SENDER = 'gateway-a.0123456789ab';
const OTHER = 'gateway-b.ba9876543210';
const context = new Map([
  [SENDER, 7],
  [OTHER, 3],
]);
const entries = [
  [
    '__proto__',
    [
      { replica: SENDER, counter: 7, stamp: 1_740_800_000_000_001, text: '{"__proto__":1}' },
      { replica: OTHER, counter: 3, stamp: 1_740_800_000_000_000, text: null },
    ],
  ],
  ['plant1/count', [{ replica: SENDER, counter: 6, stamp: 0, text: '12.5' }]],
];
const FRAMES: Record<keyof typeof VERSION_1.open, object> = {
  delta: { kind: 'delta', sender: SENDER, context, from: 4, entries },
  vector: { kind: 'vector', sender: SENDER, context, strategies: 'abcdef', hello: true },
  request: { kind: 'request', sender: SENDER, context, target: OTHER, transfer: 5, chunks: [1, 2] },
  reply: {
    kind: 'reply',
    sender: SENDER,
    context,
    target: OTHER,
    transfer: 5,
    index: 0,
    total: 2,
    floor: new Map([[OTHER, 2]]),
    entries,
  },
  farewell: { kind: 'farewell', sender: SENDER, context: new Map() },
};

for (const [kind, frame] of Object.entries(FRAMES) as [keyof typeof FRAMES, object][]) {
  test(`a ${kind} frame of version 1 is read for ever`, () => {
    const open = new FrameCodec('line', '').decode(Buffer.from(VERSION_1.open[kind], 'hex'));
    assert.deepEqual(open, frame);
    const keyed = new FrameCodec('line', 'secret').decode(Buffer.from(VERSION_1.keyed[kind], 'hex'));
    assert.deepEqual(keyed, frame);
  });
}

test('a frame of a later version says so, authenticated or not, and what to do', () => {
  for (const codec of [new FrameCodec('line', ''), new FrameCodec('line', 'secret')]) {
    for (const version of [3, 4, 100, 255]) {
      const bytes = Buffer.from(VERSION_1.keyed.delta, 'hex');
      bytes[0] = version;
      assert.throws(
        () => codec.decode(bytes),
        (error) =>
          error instanceof EdgeError && error.code === 'SYNC_VERSION' && /Update/.test(error.message),
      );
    }
  }
});
