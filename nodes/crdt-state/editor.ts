import { CATEGORY, COLORS, fieldValue, foldable, showWhile } from '../shared/editor/forms';
import { useDialogStyles } from '../shared/editor/styles';
import { numberField, requiredField } from '../shared/editor/validators';
import { fillRules, listedRules } from './editor/rule-list';
import { StatePanel } from './editor/state-panel';
import { StrategyExample } from './editor/strategy-example';

/** The live view of the dialog that is open. */
let panel: StatePanel | undefined;

function stopLive(): void {
  panel?.stop();
  panel = undefined;
}

/** Node-RED looks at the number of declared parameters: two may return a message. */
const spaceField: Validator = function (value, options) {
  return value === undefined || (typeof value === 'string' && /^[^/+#]{0,100}$/.test(value))
    ? true
    : RED._('@millwright/node-red-edge/crdt-state:crdt-state.invalid.space', { label: options.label ?? '' });
};

RED.nodes.registerType('crdt-state', {
  category: CATEGORY,
  color: COLORS.state,
  defaults: {
    name: { value: '' },
    gateway: { value: '', type: 'edge-gateway', required: false },
    space: { value: 'default', validate: spaceField },
    strategy: { value: 'last_write_wins' },
    rules: { value: [] },
    transport: { value: 'wire' },
    broker: {
      value: '',
      type: 'edge-broker',
      required: false,
      validate: requiredField((node) => node.transport === 'mqtt'),
    },
    flushMs: { value: 100, validate: numberField({ min: 0, max: 3_600_000, optional: true }) },
    persist: { value: true },
  },
  credentials: { spaceKey: { type: 'password' } },
  inputs: 1,
  outputs: 2,
  icon: 'crdt-state.svg',
  label() {
    return this.name || 'crdt-state';
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  outputLabels(index) {
    return this._(index === 0 ? 'crdt-state.output.changes' : 'crdt-state.output.frames');
  },
  oneditprepare() {
    for (const [property, fallback] of [
      ['strategy', 'last_write_wins'],
      ['transport', 'wire'],
    ]) {
      if (fieldValue(property) === '') {
        $(`#node-input-${property}`).val(fallback);
      }
    }
    if (this.persist === undefined) {
      $('#node-input-persist').prop('checked', true);
    }
    useDialogStyles();
    const translate = (key: string, parameters?: Record<string, unknown>): string =>
      this._(`crdt-state.${key}`, parameters);
    new StrategyExample(translate);
    showWhile('.crdt-state-mqtt', ['#node-input-transport'], () => fieldValue('transport') === 'mqtt');
    showWhile('.crdt-state-wire', ['#node-input-transport'], () => fieldValue('transport') === 'wire');
    foldable('#crdt-state-more-heading', '#crdt-state-more');
    fillRules(this.rules, translate);
    const live = new StatePanel(this.id, translate);
    foldable('#crdt-state-live-heading', '#crdt-state-live', false, (open) => live.toggled(open));
    panel = live;
  },
  oneditcancel: stopLive,
  oneditdelete: stopLive,
  oneditsave() {
    stopLive();
    this.rules = listedRules();
  },
});
