import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connectAsync } from 'mqtt';
import type { Detection, EdgeMessage } from '../../nodes/shared/messages';
import { startBroker } from '../../scripts/demo/broker';
import { packageRoot } from '../support/runtime';
import { Station } from '../support/station';

const DATA = join(packageRoot, '..', 'shared', 'data', 'ai4i2020', 'ai4i2020.csv');

interface TrainingScores {
  data_sha256: string;
  model_digest: string;
  scores: string;
}

test('every row of AI4I 2020, sent over MQTT through the flow, gets the score that training gave it', async (t) => {
  if (!existsSync(DATA)) {
    t.skip(`${DATA} is not here`);
    return;
  }
  const csv = readFileSync(DATA);
  const training = JSON.parse(
    readFileSync(join(packageRoot, 'test', 'fixtures', 'cnc-failure-ai4i-scores.json'), 'utf8'),
  ) as TrainingScores;
  assert.equal(
    createHash('sha256').update(csv).digest('hex'),
    training.data_sha256,
    'other data than in training',
  );
  const bytes = Buffer.from(training.scores, 'base64');
  const expected = new Float32Array(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
  );
  const rows = readRows(csv.toString());
  assert.equal(rows.length, expected.length);

  const broker = await startBroker();
  const station = await Station.start({ flow: flow(broker.url) });
  const machines = await connectAsync(broker.url);
  try {
    await station.shows('ingest', 'sensor-ingest.status.listening');
    const scores = new Float64Array(rows.length).fill(NaN);
    let judged = 0;
    const all = new Promise<void>((resolve) => {
      station.on('sink', (_id: string, msg: EdgeMessage) => {
        const { score, model } = msg.detection as Detection;
        assert.equal(model?.digest, training.model_digest);
        scores[Number(msg.topic?.split('/').at(-1))] = score ?? NaN;
        judged++;
        if (judged === rows.length) {
          resolve();
        }
      });
    });
    await Promise.all(
      rows.map(({ features }, index) =>
        machines.publishAsync(`plant1/part/${index}`, JSON.stringify(features), { qos: 1 }),
      ),
    );
    await all;
    const worst = scores.reduce((most, score, index) => Math.max(most, Math.abs(score - expected[index])), 0);
    assert.ok(worst <= 1e-5, `a score differs by ${worst}`);
    const labels = rows.map(({ failed }) => failed);
    const inFlow = averagePrecision(scores, labels);
    const inTraining = averagePrecision(expected, labels);
    assert.ok(
      Math.abs(inFlow - inTraining) < 1e-3,
      `average precision ${inFlow} in the flow, ${inTraining} in training`,
    );
    t.diagnostic(
      `${rows.length} rows, largest difference ${worst.toExponential(1)}, average precision ${inFlow.toFixed(4)} in the flow and ${inTraining.toFixed(4)} in training`,
    );
    assert.deepEqual(station.problems(), []);
  } finally {
    await machines.endAsync(true);
    await station.stop();
    await broker.close();
  }
});

function flow(url: string): { id: string; type: string; [property: string]: unknown }[] {
  return [
    { id: 'tab', type: 'tab', label: 'skew' },
    { id: 'broker', type: 'edge-broker', url, protocolVersion: '4' },
    {
      id: 'ingest',
      type: 'sensor-ingest',
      z: 'tab',
      source: 'mqtt',
      broker: 'broker',
      topic: 'plant1/part/+',
      wires: [['detect'], [], ['detected']],
    },
    {
      id: 'detect',
      type: 'onnx-detect',
      z: 'tab',
      model: 'builtin:cnc-failure',
      wires: [['detected'], ['detected']],
    },
    { id: 'detected', type: 'test-sink', z: 'tab', wires: [] },
  ];
}

const TYPES: Record<string, number> = { L: 0, M: 1, H: 2 };

function readRows(csv: string): { features: Record<string, number>; failed: boolean }[] {
  const [header, ...lines] = csv.trim().split(/\r?\n/);
  const column = new Map(header.split(',').map((name, index) => [name, index]));
  return lines.map((line) => {
    const cells = line.split(',');
    const cell = (name: string): string => cells[column.get(name) ?? -1];
    return {
      features: {
        type: TYPES[cell('Type')],
        air_temperature: Number(cell('Air temperature [K]')),
        process_temperature: Number(cell('Process temperature [K]')),
        rotational_speed: Number(cell('Rotational speed [rpm]')),
        torque: Number(cell('Torque [Nm]')),
        tool_wear: Number(cell('Tool wear [min]')),
      },
      failed: cell('Machine failure') === '1',
    };
  });
}

/** Area under the precision-recall curve as scikit-learn sums it, ties taken together. */
function averagePrecision(scores: ArrayLike<number>, positives: readonly boolean[]): number {
  const order = positives.map((_, index) => index).sort((a, b) => scores[b] - scores[a]);
  const total = positives.filter(Boolean).length;
  let hits = 0;
  let recall = 0;
  let sum = 0;
  order.forEach((row, rank) => {
    hits += positives[row] ? 1 : 0;
    if (rank + 1 === order.length || scores[order[rank + 1]] !== scores[row]) {
      sum += (hits / total - recall) * (hits / (rank + 1));
      recall = hits / total;
    }
  });
  return sum;
}
