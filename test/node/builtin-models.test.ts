import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Detection } from '../../nodes/shared/messages';
import { SeededRandom } from '../../nodes/shared/random';
import { vibrationWaveform } from '../../simulation/vibration';
import { packageRoot, TestRuntime } from '../support/runtime';

let runtime: TestRuntime;
before(async () => {
  runtime = await TestRuntime.start();
});
after(() => runtime.stop());

/** What the training answered, written by the scripts in `models/train`. */
interface Vectors<Row> {
  tolerance: number;
  rows: Row[];
}

function vectors(name: string): Vectors<unknown> {
  const file = join(packageRoot, 'test', 'fixtures', `${name}-vectors.json`);
  return JSON.parse(readFileSync(file, 'utf8')) as Vectors<unknown>;
}

async function deploy(model: string, before: object[] = []): Promise<void> {
  await runtime.deploy([
    ...(before as []),
    { id: 'detect', type: 'onnx-detect', model: `builtin:${model}`, wires: [['detected'], ['clear']] },
    { id: 'detected', type: 'test-sink' },
    { id: 'clear', type: 'test-sink' },
    { id: 'catch', type: 'catch', scope: null, wires: [['errors']] },
    { id: 'errors', type: 'test-sink' },
  ]);
}

async function verdicts(count: number): Promise<Detection[]> {
  const found = (): Detection[] =>
    ['detected', 'clear'].flatMap((sink) =>
      runtime.messages(sink).flatMap(({ detection }) => detection as Detection | Detection[]),
    );
  await runtime.until(() => found().length >= count || runtime.messages('errors').length > 0, 'the verdicts');
  assert.deepEqual(runtime.messages('errors'), []);
  return found();
}

function close(actual: number | null | undefined, expected: number, tolerance: number): void {
  const error = Math.abs((actual ?? NaN) - expected) / Math.max(1, Math.abs(expected));
  assert.ok(error <= tolerance, `${actual} instead of ${expected}`);
}

test('turbofan-rul: the remaining life in the flow is that of the training, window by window', async () => {
  const { tolerance, rows } = vectors('turbofan-rul') as Vectors<{
    case: string;
    rul: number;
    window: number[][];
  }>;
  await deploy('turbofan-rul');
  rows.forEach(({ window }, engine) =>
    runtime.inject('detect', { topic: `engine ${engine}`, payload: window }),
  );
  const all = await verdicts(rows.length * 30);
  for (const [engine, { rul, case: name }] of rows.entries()) {
    const own = all.filter(({ source }) => source === `engine ${engine}`);
    const last = own.find(({ status }) => status !== 'LEARNING');
    assert.equal(own.filter(({ status }) => status === 'LEARNING').length, 29, name);
    close(last?.score, -rul, tolerance);
    assert.equal(last?.threshold, -30);
    assert.equal(last.kind, rul <= 30 ? 'KNOWN_FAILURE' : undefined, name);
  }
});

test('bearing-autoencoder: scores in the flow are those of the training', async () => {
  const { tolerance, rows } = vectors('bearing-autoencoder') as Vectors<{
    features: Record<string, number>;
    score: number;
  }>;
  await deploy('bearing-autoencoder');
  for (const [index, { features }] of rows.entries()) {
    runtime.inject('detect', { topic: `window ${index}`, payload: features });
  }
  const all = await verdicts(rows.length);
  for (const [index, { score }] of rows.entries()) {
    close(all.find(({ source }) => source === `window ${index}`)?.score, score, tolerance);
  }
});

test('bearing-autoencoder: raw waveforms through sensor-ingest, sound and with a worn bearing', async () => {
  const card = JSON.parse(readFileSync(join(packageRoot, 'models', 'bearing-autoencoder.json'), 'utf8')) as {
    ingest: { channel: string; sampleRate: number; samples: number; features: string[] };
  };
  const { channel, sampleRate, samples, features } = card.ingest;
  await deploy('bearing-autoencoder', [
    {
      id: 'ingest',
      type: 'sensor-ingest',
      format: 'float32',
      sampleRate,
      features,
      channels: [{ name: channel, path: 'value' }],
      wires: [['detect'], [], ['errors']],
    },
  ]);
  const random = new SeededRandom(11);
  const send = (topic: string, impact: number): void => {
    const waveform = vibrationWaveform({ speed: 1500, cutting: 0.3, impact }, samples, sampleRate, random);
    runtime.inject('ingest', { topic, payload: Buffer.from(waveform.buffer) });
  };
  for (let i = 0; i < 20; i++) {
    send('sound', 0);
    send('worn', 1);
  }
  const all = await verdicts(40);
  const flagged = (name: string): number =>
    all.filter(({ source, kind }) => source === name && kind !== undefined).length;
  assert.deepEqual([flagged('sound'), flagged('worn')], [0, 20]);
  const worn = all.find(({ kind }) => kind !== undefined);
  assert.match(worn?.contributions?.[0].channel ?? '', /^vibration\./);
});
