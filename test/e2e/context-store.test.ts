import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Mosquitto } from '../support/mosquitto';
import { prepareUserDir, type FlowNode } from '../support/runtime';
import { Station } from '../support/station';
import { findProgram } from '../support/tools';

const program = findProgram('mosquitto');
const options = program === undefined ? { skip: 'mosquitto is not installed' } : {};
let broker: Mosquitto;

/** A function node that runs the code of the message in `flow`'s, `global`'s and its own context. */
const FLOW: FlowNode[] = [
  { id: 'tab', type: 'tab' },
  ...[
    {
      id: 'run',
      type: 'function',
      func: `const answer = (value) => { node.send({ asked: msg.asked, value }); node.done(); };
try {
  const value = new Function('flow', 'global', 'context', 'answer', msg.code)(flow, global, context, answer);
  if (value !== undefined) { answer(value); }
} catch (error) { answer({ error: error.message, code: error.code }); }`,
      wires: [['out']],
    },
    { id: 'out', type: 'test-sink', wires: [] },
  ].map((node) => ({ z: 'tab', ...node })),
];

/** A Node-RED process whose context store `edge` is set up in settings.js, as a user does it. */
class Gateway extends EventEmitter {
  private asked = 0;

  private constructor(readonly station: Station) {
    super();
    station.on('sink', (_id: string, msg: { asked?: string; value?: unknown }) =>
      this.emit(msg.asked ?? '', msg.value),
    );
  }

  static async start(gatewayId: string, module: 'node-red' | 'node-red-4', more = ''): Promise<Gateway> {
    const settings = `module.exports = { contextStorage: {
      default: { module: 'memory' },
      edge: { module: require('@millwright/node-red-edge/context'), config: {
        gatewayId: '${gatewayId}', space: 'plant', flushMs: 20, broker: { url: '${broker.url}', keepalive: 2 },
        rules: [{ pattern: 'global/parts', strategy: 'counter' }, { pattern: 'flow/+/seen', strategy: 'set' },
          { pattern: 'global/load', strategy: 'mean' }, { pattern: 'global/alarm', strategy: 'flag' }], ${more}
      } } } };`;
    return new Gateway(
      await Station.start({
        flow: FLOW,
        module,
        install: (userDir) => {
          prepareUserDir(userDir);
          writeFileSync(join(userDir, 'settings.js'), settings);
        },
      }),
    );
  }

  /** Runs code in the function node; what it returns, or what it hands to `answer`, is the result. */
  async run(code: string): Promise<unknown> {
    const asked = `run ${++this.asked}`;
    const answered = once(this, asked, { signal: AbortSignal.timeout(10_000) });
    this.station.inject('run', { asked, code });
    const [value] = (await answered) as unknown[];
    return value;
  }

  /** Waits until code gives a value. */
  async sees(code: string, wanted: unknown): Promise<void> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const value = await this.run(code);
      if (JSON.stringify(value) === JSON.stringify(wanted)) {
        return;
      }
      assert.ok(Date.now() < deadline, `${code} gives ${JSON.stringify(value)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

let five: Gateway;
let four: Gateway;
before(async () => {
  if (program !== undefined) {
    broker = await Mosquitto.start(program);
    [five, four] = await Promise.all([
      Gateway.start('gateway five', 'node-red'),
      Gateway.start('gateway four', 'node-red-4'),
    ]);
  }
});
after(async () => {
  if (program !== undefined) {
    await Promise.all([five.station.stop(), four.station.stop()]);
    await broker.stop();
  }
});

test('what one Node-RED sets in its context, the other one gets, in all scopes', options, async () => {
  const set = `flow.set('setpoint', 42, 'edge'); global.set('line', { speed: 5, shifts: ['a'] }, 'edge');
    context.set('own', true, 'edge'); return flow.get('setpoint', 'edge');`;
  assert.equal(await five.run(set), 42, 'the writer sees it at once');
  await four.sees(`return flow.get('setpoint', 'edge') ?? null`, 42);
  await four.sees(`return global.get('line', 'edge') ?? null`, { speed: 5, shifts: ['a'] });
  await four.sees(`return context.get('own', 'edge') ?? null`, true);
  assert.equal(
    await four.run(`return flow.get('setpoint') ?? null`),
    null,
    'another store has nothing of it',
  );
});

test('nested names, lists of names, callbacks and copies work as in the memory store', options, async () => {
  const own = `global.set('line.speed', 7, 'edge'); global.set('line.shifts[1]', 'b', 'edge');
    global.set(['x', 'y', 'z'], [1, 2], 'edge');
    const line = global.get('line', 'edge'); line.speed = 'changed';
    return [global.get('line', 'edge'), global.get(['x', 'y', 'z', 'none.at.all'], 'edge')]`;
  assert.deepEqual(await five.run(own), [{ speed: 7, shifts: ['a', 'b'] }, [1, 2, null, undefined]]);
  assert.deepEqual(
    await five.run(`global.get('line.shifts[0]', 'edge', (error, value) => answer([error, value]))`),
    [undefined, 'a'],
  );
  const deleted = `global.set('line.speed', undefined, 'edge'); global.set('x', undefined, 'edge');
    global.keys('edge', (error, names) => answer([error, names, global.get('line', 'edge')]))`;
  assert.deepEqual(await five.run(deleted), [null, ['line', 'y', 'z'], { shifts: ['a', 'b'] }]);
  await four.sees(`return [global.keys('edge'), global.get('line', 'edge')]`, [
    ['line', 'y', 'z'],
    { shifts: ['a', 'b'] },
  ]);
});

test('what cannot be shared is refused with the reason, and changes nothing', options, async () => {
  const refused: [string, string, RegExp][] = [
    [`global.set('line', () => 1, 'edge')`, 'VALUE', /a function is no JSON value/],
    [`global.set('line', { a: NaN }, 'edge')`, 'VALUE', /"global\/line".*NaN/],
    [`global.set('line', Buffer.from('x'), 'edge')`, 'VALUE', /no JSON value/],
    [`global.set('parts', 'many', 'edge')`, 'VALUE', /must be a number/],
    [`global.set('line..speed', 1, 'edge')`, 'INVALID_EXPR', /line\.\.speed/],
    [`global.set('y.inner', 1, 'edge')`, 'INVALID_EXPR', /no object/],
  ];
  for (const [code, expected, message] of refused) {
    const answer = (await five.run(code)) as { error: string; code: string };
    assert.equal(answer.code, expected, code);
    assert.match(answer.error, message);
  }
  const answer = await five.run(`global.set('line', () => 1, 'edge', (error) => answer(error.code))`);
  assert.equal(answer, 'VALUE');
  assert.deepEqual(await five.run(`return global.get('line', 'edge')`), { shifts: ['a', 'b'] });
});

test(
  'writes at the same time merge by their strategies, and a restart keeps everything',
  options,
  async () => {
    await five.run(`global.set('parts', 10, 'edge', () => answer('kept'))`);
    await four.sees(`return global.get('parts', 'edge') ?? null`, 10);
    await broker.kill();
    const apart = (amount: number, name: string, load: number): string =>
      `for (let i = 0; i < 10; i++) { global.set('parts', global.get('parts', 'edge') + ${amount}, 'edge'); }
    flow.set('seen', [...(flow.get('seen', 'edge') ?? []), '${name}'], 'edge');
    global.set('alarm', ${amount > 1}, 'edge');
    global.set('load', ${load}, 'edge', (error) => answer(error ?? global.get('parts', 'edge')));`;
    assert.equal(await five.run(apart(1, 'five', 10)), 20);
    assert.equal(await four.run(apart(3, 'four', 60)), 40);
    // Callbacks have told that all of it is on disk.
    await five.station.kill();
    await five.station.launch();
    await broker.launch();
    const all = `return [global.get(['parts', 'alarm', 'load'], 'edge'), flow.get('seen', 'edge')]`;
    for (const gateway of [five, four]) {
      await gateway.sees(all, [
        [50, true, 35],
        ['five', 'four'],
      ]);
    }
    // The broker was away, and the log says so.
    const others = five.station.problems().filter(({ msg }) => !String(msg).includes('ECONNREFUSED'));
    assert.deepEqual(others, []);
  },
);

test('a deployment of another flow leaves what it had set to the other gateways', options, async () => {
  const response = await fetch(`${four.station.url}/flows`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([{ id: 'elsewhere', type: 'tab' }]),
  });
  assert.equal(response.status, 204);
  assert.equal(await five.run(`return flow.get('setpoint', 'edge')`), 42);
  // Written after the deployment's cleaning, and seen after anything that came before it.
  await five.run(`flow.set('later', 1, 'edge', () => answer('kept'))`);
  assert.equal(await five.run(`return flow.get('setpoint', 'edge')`), 42);
});
