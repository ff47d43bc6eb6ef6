import { CATEGORY, COLORS, foldable, linesOf } from '../shared/editor/forms';
import { numberField } from '../shared/editor/validators';
import { LeftBehindPanel } from './editor/left-behind';

const CONNECTION_TYPES = ['edge-broker', 'edge-http'] as const;
/** Also admits `${ENV}`, which the runtime fills in. */
const TEMPLATE = /^([^{}]|\$\{[^{}]*\}|\{(gateway|site|topic|priority)\})*$/;

function complaint(key: string, { label = '' }: ValidationOptions): string {
  return RED._(`@millwright/node-red-edge/resilient-uplink:resilient-uplink.invalid.${key}`, { label });
}

function show(selector: string, list: unknown): void {
  $(selector).val(Array.isArray(list) ? list.join('\n') : typeof list === 'string' ? list : '');
}

function idsOf(list: unknown): string[] {
  return Array.isArray(list) ? list.filter((id): id is string => typeof id === 'string') : [];
}

function chosenIds(): string[] {
  const ids: string[] = [];
  $('#uplink-connections')
    .editableList('items')
    .each((_index, row) => {
      const id = $(row).find('select').val();
      if (typeof id === 'string' && id && !ids.includes(id)) {
        ids.push(id);
      }
    });
  return ids;
}

/** One row: a choice among all connections that there are, and a button that opens the chosen one. */
function addRow(node: EditorNode, row: JQuery, chosen: string): void {
  const select = $('<select>')
    .attr('aria-label', node._('resilient-uplink.label.connection'))
    .css({ width: 'calc(100% - 45px)' })
    .appendTo(row);
  const fill = (id: string): void => {
    select.empty();
    RED.nodes.eachConfig((config) => {
      if (CONNECTION_TYPES.some((type) => type === config.type)) {
        $('<option>')
          .val(config.id)
          .text(`${RED.utils.getNodeLabel(config, config.id)} (${config.type})`)
          .appendTo(select);
      }
    });
    if (id && !RED.nodes.node(id)) {
      $('<option>').val(id).text(node._('resilient-uplink.label.missing', { id })).appendTo(select);
    }
    select.val(id);
  };
  fill(chosen);
  $('<button type="button" class="red-ui-button red-ui-button-small">')
    .attr('aria-label', node._('resilient-uplink.label.edit'))
    .css({ marginLeft: '6px' })
    .append('<i class="fa fa-pencil"></i>')
    .on('click', () => {
      const id = select.val();
      const config = typeof id === 'string' ? RED.nodes.node(id) : undefined;
      if (config) {
        RED.editor.editConfig(`new-${config.type}`, config.type, config.id, 'uplink');
      }
    })
    .appendTo(row);
}

let leftBehind: LeftBehindPanel | undefined;

RED.nodes.registerType('resilient-uplink', {
  category: CATEGORY,
  color: COLORS.uplink,
  defaults: {
    name: { value: '' },
    gateway: { value: '', type: 'edge-gateway', required: false },
    connections: {
      value: [],
      // Lets the editor export the connections with the node, and rename them when it imports them.
      type: '(edge-broker|edge-http)[]',
      validate(value, options) {
        return idsOf(value).every((id) => id.startsWith('${') || RED.nodes.node(id) !== undefined)
          ? true
          : complaint('connections', options);
      },
    },
    topic: {
      value: '{topic}',
      validate(value, options) {
        return typeof value !== 'string' || TEMPLATE.test(value) ? true : complaint('topic', options);
      },
    },
    content: { value: 'payload' },
    qos: { value: 1 },
    priority: { value: 'auto' },
    ttl: { value: 0, validate: numberField({ min: 0, optional: true }) },
    limitMB: { value: 1024, validate: numberField({ min: 0.01, optional: true }) },
    limitAge: { value: 0, validate: numberField({ min: 0, optional: true }) },
    overflow: { value: 'drop-lowest' },
    batchSize: { value: 1, validate: numberField({ min: 1, max: 1000, integer: true, optional: true }) },
    batchDelayMs: { value: 0, validate: numberField({ min: 0, max: 3600000, optional: true }) },
    compression: { value: 'none' },
    retryMinMs: { value: 500, validate: numberField({ min: 1, optional: true }) },
    retryMaxMs: { value: 60000, validate: numberField({ min: 1, optional: true }) },
    ackTimeout: { value: 10, validate: numberField({ min: 0.1, max: 3600, optional: true }) },
    healthInterval: { value: 5, validate: numberField({ min: 0.1, max: 3600, optional: true }) },
    failback: { value: 30, validate: numberField({ min: 0, optional: true }) },
    replayRate: { value: 0, validate: numberField({ min: 0, max: 1000000, optional: true }) },
    drop: { value: [] },
    hash: { value: [] },
  },
  credentials: { hashKey: { type: 'password' } },
  inputs: 1,
  outputs: 2,
  icon: 'resilient-uplink.svg',
  align: 'right',
  outputLabels(index) {
    return this._(
      index === 0 ? 'resilient-uplink.output.delivered' : 'resilient-uplink.output.undeliverable',
    );
  },
  label() {
    return this.name || 'resilient-uplink';
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  oneditprepare() {
    const list = $('#uplink-connections').editableList<{ id: string }>({
      height: 'auto',
      sortable: true,
      removable: true,
      addButton: this._('resilient-uplink.label.add'),
      addItem: (row, _index, data) => {
        addRow(this, row, (data as { id?: string }).id ?? '');
      },
    });
    idsOf(this.connections).forEach((id) => list.editableList('addItem', { id }));
    for (const type of CONNECTION_TYPES) {
      $(`#uplink-add-${type}`).on('click', () => {
        RED.editor.editConfig(`new-${type}`, type, '_ADD_', 'uplink');
      });
      // The editor fills this with the config node that its dialog has made or changed.
      $(`#uplink-new-${type}`).on('change', (event) => {
        const id = $(event.target).val();
        if (typeof id === 'string' && RED.nodes.node(id) && !chosenIds().includes(id)) {
          list.editableList('addItem', { id });
        }
      });
    }
    show('#uplink-drop', this.drop);
    show('#uplink-hash', this.hash);
    foldable('#uplink-sending-heading', '#uplink-sending');
    foldable('#uplink-storage-heading', '#uplink-storage');
    foldable('#uplink-health-heading', '#uplink-health');
    foldable(
      '#uplink-privacy-heading',
      '#uplink-privacy',
      idsOf(this.drop).length + idsOf(this.hash).length > 0,
    );
    leftBehind = new LeftBehindPanel(this);
  },
  oneditcancel() {
    leftBehind?.stop();
  },
  oneditsave() {
    leftBehind?.stop();
    this.connections = chosenIds();
    this.drop = linesOf('#uplink-drop');
    this.hash = linesOf('#uplink-hash');
  },
});
