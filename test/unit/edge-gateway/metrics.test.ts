import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostFigures } from '../../../nodes/edge-gateway/host';
import { metricsText } from '../../../nodes/edge-gateway/metrics';
import { Figures } from '../../../nodes/shared/figures';
import type { StationEntry } from '../../../nodes/shared/station';

const HOST: HostFigures = {
  cpuSeconds: 12.5,
  cpu: 0.2,
  load: 0.1,
  rss: 1e8,
  memoryTotal: 4e9,
  memoryFree: 2e9,
};

function entry(id: string, fill: (figures: Figures) => void, name = ''): StationEntry {
  const figures = new Figures();
  fill(figures);
  return { id, type: 'iso-forest', name, gateway: () => undefined, figures, status: () => undefined };
}

test('counters and gauges have the label "node", and each family its type once', () => {
  const text = metricsText(
    [
      entry('a', (figures) => {
        figures.add('edge_readings_total', 3);
        figures.addLabelled('edge_rejected_total', 'code', 'RANGE', 2);
        figures.gauge('edge_forest_sources', () => 7);
      }),
      entry('b', (figures) => figures.add('edge_readings_total', 4)),
    ],
    HOST,
  );
  const lines = text.split('\n');
  assert.ok(lines.includes('edge_readings_total{node="a"} 3'));
  assert.ok(lines.includes('edge_readings_total{node="b"} 4'));
  assert.ok(lines.includes('edge_rejected_total{node="a",code="RANGE"} 2'));
  assert.ok(lines.includes('edge_forest_sources{node="a"} 7'));
  assert.equal(lines.filter((line) => line === '# TYPE edge_readings_total counter').length, 1);
  assert.ok(lines.includes('# TYPE edge_forest_sources gauge'));
  assert.ok(lines.includes('process_cpu_seconds_total 12.5'));
  assert.ok(text.endsWith('\n'));
});

test('a histogram has cumulative buckets in rising order that end with everything', () => {
  const text = metricsText(
    [
      entry('a', (figures) => {
        for (const seconds of [0.003, 0.0004, 0.003, 99]) {
          figures.observe('edge_inference_seconds', seconds);
        }
      }),
    ],
    HOST,
  );
  const lines = text.split('\n').filter((line) => line.includes('edge_inference_seconds'));
  assert.deepEqual(lines, [
    '# HELP edge_inference_seconds Time of one inference.',
    '# TYPE edge_inference_seconds histogram',
    'edge_inference_seconds_bucket{node="a",le="0.0005"} 1',
    'edge_inference_seconds_bucket{node="a",le="0.005"} 3',
    'edge_inference_seconds_bucket{node="a",le="+Inf"} 4',
    'edge_inference_seconds_sum{node="a"} 99.0064',
    'edge_inference_seconds_count{node="a"} 4',
  ]);
});

test('names that a person gave cannot break the text', () => {
  const text = metricsText([entry('a', () => undefined, 'the "best"\\\nnode')], HOST);
  assert.match(
    text,
    /edge_node_info\{node="a",type="iso-forest",name="the \\"best\\"\\\\\\nnode",gateway=""\} 1/,
  );
});

test('service levels that are judged say whether they are met', () => {
  const text = metricsText([], HOST, [
    { level: 'latency', limit: 10, value: 4, met: true },
    { level: 'delivery', limit: 60, value: 90, met: false },
    { level: 'silence', limit: 0, value: 0, met: null },
  ]);
  const lines = text.split('\n').filter((line) => line.startsWith('edge_service_level_met'));
  assert.deepEqual(lines, [
    'edge_service_level_met{level="latency"} 1',
    'edge_service_level_met{level="delivery"} 0',
  ]);
  assert.doesNotMatch(metricsText([], HOST), /service_level/);
});
