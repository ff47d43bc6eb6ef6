import { shownBytes, shownNumber } from '../../nodes/shared/editor/figures';
import type { Snapshot } from '../snapshot';
import { detailLines } from './details';
import { MaintenancePart } from './maintenance';
import type { NodeHistory } from './rates';
import { sparkline } from './sparkline';
import { text } from './texts';

type Node = Snapshot['nodes'][number];

interface Shown {
  /** Figure that the line shows. */
  line: string;
  facts: (history: NodeHistory) => [key: string, value: string][];
}

const rate = (history: NodeHistory, name: string): string =>
  text('unit.per-second', { value: shownNumber(history.now(name), 3) });
const count = (history: NodeHistory, name: string): string => shownNumber(history.total(name), 4);

const LATENCY = 'edge_inference_seconds';

const SHOWN: Record<string, Shown> = {
  'sensor-ingest': {
    line: 'edge_readings_total',
    facts: (history) => [
      ['readings', rate(history, 'edge_readings_total')],
      ['bytes-in', `${shownBytes(history.now('edge_bytes_in_total'))}/s`],
      ['rejected', count(history, 'edge_rejected_total')],
    ],
  },
  'onnx-detect': {
    line: 'edge_readings_total',
    facts: (history) => [
      ['readings', rate(history, 'edge_readings_total')],
      ['detections', count(history, 'edge_detections_total')],
      ['inference', milliseconds(history.total(`${LATENCY}_sum`), history.total(`${LATENCY}_count`))],
    ],
  },
  'iso-forest': {
    line: 'edge_readings_total',
    facts: (history) => [
      ['readings', rate(history, 'edge_readings_total')],
      ['detections', count(history, 'edge_detections_total')],
      ['sources', count(history, 'edge_forest_sources')],
    ],
  },
  'crdt-state': {
    line: 'edge_state_pending',
    facts: (history) => [
      ['keys', count(history, 'edge_state_keys')],
      ['pending', count(history, 'edge_state_pending')],
      ['conflicts', count(history, 'edge_state_conflicts_total')],
    ],
  },
  'resilient-uplink': {
    line: 'edge_uplink_queue_messages',
    facts: (history) => [
      ['delivered', rate(history, 'edge_uplink_delivered_total')],
      ['waiting', count(history, 'edge_uplink_queue_messages')],
      ['bytes-out', `${shownBytes(history.now('edge_bytes_out_total'))}/s`],
    ],
  },
};

function milliseconds(seconds: number, runs: number): string {
  return runs === 0 ? '–' : text('unit.milliseconds', { value: shownNumber((1000 * seconds) / runs, 3) });
}

/** One node at a glance; activating it shows the node in its flow. What can be done to the node is below that. */
export class Card {
  readonly root = $('<div class="edge-card-frame">');
  private readonly face = $('<button type="button" class="edge-card">');
  private readonly maintenance: MaintenancePart;

  constructor(id: string) {
    this.maintenance = new MaintenancePart(id);
    this.root.attr('data-node', id).append(this.face, this.maintenance.root);
    this.face.attr({ 'data-node': id, title: text('hint.reveal') }).on('click', () => RED.view.reveal(id));
  }

  /** @param now of the gateway's clock, ms since the epoch */
  show(node: Node, history: NodeHistory, now: number): void {
    const known = RED.nodes.getType(node.type);
    this.root.css({ borderLeftColor: known?.color ?? 'transparent' });
    this.face.empty().append(...faceOf(node, history));
    this.maintenance.show(node.details, now);
  }
}

function faceOf(node: Node, history: NodeHistory): JQuery[] {
  const shown = SHOWN[node.type] as Shown | undefined;
  const head = $('<div class="edge-card-head">');
  $('<span class="edge-card-name">')
    .text(node.name || node.type)
    .appendTo(head);
  if (shown) {
    const described = text(`line.${shown.line}`);
    head.append(
      $('<span class="edge-card-line">')
        .attr('title', described)
        .append($(sparkline(history.points(shown.line), described))),
    );
  }
  const status = node.status && [
    $('<div class="edge-card-status">').append(
      $('<span class="edge-dot">').addClass(`edge-dot-${node.status.fill}`),
      $('<span>').text(statusText(node.status.text)),
    ),
  ];
  const facts = $('<dl>');
  for (const [key, value] of shown?.facts(history) ?? []) {
    facts.append($('<div>').append($('<dt>').text(text(`fact.${key}`)), $('<dd>').text(value)));
  }
  return [head, ...(status ?? []), facts, ...detailLines(node.details)];
}

/** A status without figures comes as a key of the node's own texts. */
function statusText(status: string): string {
  const [type] = status.split('.');
  return /^[\w-]+\.[\w.-]+$/.test(status) ? RED._(`@millwright/node-red-edge/${type}:${status}`) : status;
}
