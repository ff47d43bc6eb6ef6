import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SeededRandom } from '../../nodes/shared/random';
import { listStation } from '../../nodes/shared/station';
import { collectGarbage } from '../support/held-memory';
import { fuzzedPayload, fuzzedTopic, FUZZED_NODES, REJECT_CODES } from '../support/payload-fuzzer';
import { TestRuntime, type FlowNode } from '../support/runtime';

const SEED = Number(process.env.FUZZ_SEED ?? 1);
const PAYLOADS = Number(process.env.FUZZ_PAYLOADS ?? 1_000_000);
/** Payloads between two turns of the event loop, in which what was sent is delivered. */
const SLICE = 200;
/** What every source may remember takes its time to fill; growth is measured after this share. */
const FILLED = 0.3;

/** What the sink found wrong with a message that a node sent. */
interface Findings {
  readings: number;
  rejects: number;
  wrong: string[];
}

const SINK = `module.exports = function (RED) {
  RED.nodes.registerType('fuzz-sink', function (config) {
    RED.nodes.createNode(this, config);
    this.on('input', (msg, send, done) => { globalThis.fuzzSink(this.id, msg); done(); });
  });
};`;
const FORM =
  '<script type="text/javascript">RED.nodes.registerType("fuzz-sink",{category:"test",defaults:{},inputs:1,outputs:0})</script>';

function usedBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

test(`${PAYLOADS} payloads through the wrapper of the real runtime: each is a reading or a reject, and memory stays`, async (t) => {
  t.diagnostic(`FUZZ_SEED=${SEED}`);
  const findings: Findings = { readings: 0, rejects: 0, wrong: [] };
  (globalThis as { fuzzSink?: (id: string, msg: Record<string, unknown>) => void }).fuzzSink = (id, msg) =>
    inspect(id, msg, findings);
  const runtime = await TestRuntime.start({
    prepare(userDir) {
      writeFileSync(join(userDir, 'nodes', 'fuzz-sink.js'), SINK);
      writeFileSync(join(userDir, 'nodes', 'fuzz-sink.html'), FORM);
    },
  });
  try {
    const ids = FUZZED_NODES.map((_, index) => `ingest-${index}`);
    await runtime.deploy([
      ...FUZZED_NODES.map((properties, index): FlowNode => ({
        id: ids[index],
        type: 'sensor-ingest',
        wires: [['readings'], ['reduced'], ['rejects']],
        ...properties,
      })),
      ...['readings', 'reduced', 'rejects'].map((id) => ({ id, type: 'fuzz-sink', wires: [] })),
    ]);
    const nodes = ids.map((id) => runtime.node(id));
    const figures = ids.map((id) => listStation().find((entry) => entry.id === id)!.figures);
    const random = new SeededRandom(SEED);
    let filled = 0;
    let crashed = '';
    const onCrash = (error: unknown): void => void (crashed ||= String(error));
    process.on('uncaughtException', onCrash);
    for (let i = 0; i < PAYLOADS; i++) {
      const which = i % nodes.length;
      const before = accounted(figures[which].snapshot());
      const topic = fuzzedTopic(random, FUZZED_NODES[which].format);
      const payload = fuzzedPayload(random, FUZZED_NODES[which].format);
      nodes[which].receive({ _msgid: String(i), topic, payload });
      assert.ok(
        accounted(figures[which].snapshot()) !== before || isEmptyCommand(topic, payload),
        `payload ${i} of seed ${SEED} is neither a reading nor a reject`,
      );
      if (i % SLICE === 0) {
        await new Promise((resolve) => setImmediate(resolve));
        assert.equal(crashed, '', `up to payload ${i} of seed ${SEED}`);
        assert.deepEqual(findings.wrong, [], `up to payload ${i} of seed ${SEED}`);
      }
      if (i === Math.floor(PAYLOADS * FILLED)) {
        filled = usedBytes();
      }
    }
    process.off('uncaughtException', onCrash);
    const grown = (usedBytes() - filled) / 1e6;
    t.diagnostic(
      `${findings.readings} readings and points, ${findings.rejects} rejects, heap ${(filled / 1e6).toFixed(0)} MB, ${grown.toFixed(1)} MB more at the end`,
    );
    assert.ok(findings.readings > PAYLOADS / 20 && findings.rejects > PAYLOADS / 20);
    assert.ok(grown < 10, `the heap grew by ${grown.toFixed(1)} MB`);
    assert.deepEqual(runtime.problems(), []);
  } finally {
    await runtime.stop();
  }
});

/** Readings, rejects and bytes that a node has counted: each message changes at least one of them. */
function accounted(figures: Record<string, number>): number {
  let sum = 0;
  for (const name of Object.keys(figures)) {
    if (/^edge_(readings_total|rejected_total|bytes_in_total)/.test(name)) {
      sum += figures[name];
    }
  }
  return sum;
}

/** Commands, host states and deaths of Sparkplug are no readings, and may be empty. */
function isEmptyCommand(topic: unknown, payload: unknown): boolean {
  return (
    typeof topic === 'string' &&
    topic.startsWith('spBv1.0/') &&
    (typeof payload === 'string' ||
      (payload instanceof Object && 'byteLength' in payload && payload.byteLength === 0))
  );
}

function inspect(id: string, msg: Record<string, unknown>, findings: Findings): void {
  if (id !== 'rejects') {
    findings.readings++;
    const values = Object.values(msg['payload'] as Record<string, unknown>);
    if (values.length === 0 || !values.every(Number.isFinite)) {
      findings.wrong.push(`a reading with ${values.join()}`);
    }
    return;
  }
  if ('event' in msg) {
    return;
  }
  findings.rejects++;
  const { code } = msg['error'] as { code: string };
  if (!REJECT_CODES.has(code)) {
    findings.wrong.push(`a reject with ${code}`);
  }
}
