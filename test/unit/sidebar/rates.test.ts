import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KEPT, monthlyCost, NodeHistory } from '../../../sidebar/editor/rates';

function node(figures: Record<string, number>): Parameters<NodeHistory['add']>[1] {
  return { id: 'a', type: 'iso-forest', name: '', gateway: '', status: null, figures };
}

test('counters become rates over all their labels, gauges stay what they are', () => {
  const history = new NodeHistory();
  const { add } = { add: (ts: number, figures: Record<string, number>) => history.add(ts, node(figures)) };
  add(1000, { 'edge_rejected_total{code="RANGE"}': 5, edge_state_keys: 3 });
  add(3000, {
    'edge_rejected_total{code="RANGE"}': 7,
    'edge_rejected_total{code="DECODE"}': 2,
    edge_state_keys: 9,
  });
  assert.deepEqual(history.points('edge_rejected_total'), [2]);
  assert.deepEqual(history.points('edge_state_keys'), [9]);
  assert.equal(history.total('edge_rejected_total'), 9);
});

test('a node that was deployed anew counts from nothing and shows no negative rate', () => {
  const history = new NodeHistory();
  history.add(1000, node({ edge_readings_total: 500 }));
  history.add(2000, node({ edge_readings_total: 3 }));
  history.add(3000, node({ edge_readings_total: 13 }));
  assert.deepEqual(history.points('edge_readings_total'), [0, 10]);
});

test('only the last minute is kept', () => {
  const history = new NodeHistory();
  for (let second = 0; second < 500; second++) {
    history.add(second * 1000, node({ edge_readings_total: second }));
  }
  assert.equal(history.points('edge_readings_total').length, KEPT);
});

test('a rate costs what a month of it costs', () => {
  assert.equal(monthlyCost(1e9 / 86_400, 0.1).toFixed(6), '3.000000');
});
