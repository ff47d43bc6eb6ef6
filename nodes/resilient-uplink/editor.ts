import { CATEGORY, COLORS, foldable, linesOf } from '../shared/editor/forms';
import { useDialogStyles } from '../shared/editor/styles';
import { numberField } from '../shared/editor/validators';
import { UplinkDialog } from './editor/dialog';

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

/** Parts of the dialog that is open. */
let dialog: UplinkDialog | undefined;

function closeDialog(): void {
  dialog?.stop();
  dialog = undefined;
}

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
    useDialogStyles();
    dialog = new UplinkDialog(this, idsOf(this.connections));
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
  },
  oneditresize() {
    dialog?.resized();
  },
  oneditcancel: closeDialog,
  oneditdelete: closeDialog,
  oneditsave() {
    this.connections = dialog?.connections() ?? this.connections;
    closeDialog();
    this.drop = linesOf('#uplink-drop');
    this.hash = linesOf('#uplink-hash');
  },
});
