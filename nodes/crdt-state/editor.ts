import { CATEGORY, COLORS, fieldValue, foldable, showWhile } from '../shared/editor/forms';
import { numberField, requiredField } from '../shared/editor/validators';

interface Rule {
  pattern?: string;
  strategy?: string;
}

const STRATEGIES = ['last_write_wins', 'mean', 'min', 'max', 'union', 'counter', 'set', 'flag'];

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
    const explain = (): void => {
      $('#crdt-state-example').text(this._(`crdt-state.example.${fieldValue('strategy')}`));
    };
    $('#node-input-strategy').on('change', explain);
    explain();
    showWhile('.crdt-state-mqtt', ['#node-input-transport'], () => fieldValue('transport') === 'mqtt');
    showWhile('.crdt-state-wire', ['#node-input-transport'], () => fieldValue('transport') === 'wire');
    foldable('#crdt-state-more-heading', '#crdt-state-more');
    const list = $('#node-input-rules-container');
    list.css('min-height', '90px').editableList<Rule>({
      sortable: true,
      removable: true,
      addItem: (container, _index, rule) => {
        const row = $('<div/>').css({ display: 'flex', gap: '6px' }).appendTo(container);
        $('<input type="text" class="crdt-state-pattern" placeholder="plant1/+/count">')
          .css({ flex: '1', width: 'auto' })
          .val(rule.pattern ?? '')
          .appendTo(row);
        const choice = $('<select class="crdt-state-strategy">').css({ width: 'auto' }).appendTo(row);
        for (const strategy of STRATEGIES) {
          $('<option>')
            .val(strategy)
            .text(this._(`crdt-state.strategy.${strategy}`))
            .appendTo(choice);
        }
        choice.val(rule.strategy ?? 'last_write_wins');
      },
    });
    for (const rule of Array.isArray(this.rules) ? (this.rules as Rule[]) : []) {
      list.editableList('addItem', rule);
    }
  },
  oneditsave() {
    const rules: Rule[] = [];
    $('#node-input-rules-container')
      .editableList('items')
      .each((_index, item) => {
        const pattern = $(item).find('.crdt-state-pattern').val();
        const strategy = $(item).find('.crdt-state-strategy').val();
        if (typeof pattern === 'string' && pattern.trim() !== '' && typeof strategy === 'string') {
          rules.push({ pattern: pattern.trim(), strategy });
        }
      });
    this.rules = rules;
  },
});
