import { STRATEGIES } from '../merge';

export interface Rule {
  pattern?: string;
  strategy?: string;
}

const LIST = '#node-input-rules-container';

/** Fills the list of rules, which a person drags into order: the first that matches decides. */
export function fillRules(rules: unknown, translate: (key: string) => string): void {
  const list = $(LIST);
  list.css('min-height', '150px').editableList<Rule>({
    sortable: true,
    removable: true,
    addItem: (container, _index, rule) => {
      const row = $('<div/>').css({ display: 'flex', gap: '6px' }).appendTo(container);
      $('<input type="text" class="crdt-state-pattern" placeholder="plant1/+/count">')
        .attr('aria-label', translate('label.pattern'))
        .css({ flex: '1', minWidth: '0', width: 'auto' })
        .val(rule.pattern ?? '')
        .appendTo(row);
      const choice = $('<select class="crdt-state-strategy">')
        .attr('aria-label', translate('label.strategy'))
        .css({ flex: '1.2', minWidth: '0', width: 'auto' })
        .appendTo(row);
      for (const strategy of STRATEGIES) {
        $('<option>')
          .val(strategy)
          .text(translate(`strategy.${strategy}`))
          .appendTo(choice);
      }
      choice.val(rule.strategy ?? 'last_write_wins');
    },
  });
  for (const rule of Array.isArray(rules) ? (rules as Rule[]) : []) {
    list.editableList('addItem', rule);
  }
}

/** The rules as they are listed; rows without a pattern are left out. */
export function listedRules(): Rule[] {
  const rules: Rule[] = [];
  $(LIST)
    .editableList('items')
    .each((_index, item) => {
      const pattern = $(item).find('.crdt-state-pattern').val();
      const strategy = $(item).find('.crdt-state-strategy').val();
      if (typeof pattern === 'string' && pattern.trim() !== '' && typeof strategy === 'string') {
        rules.push({ pattern: pattern.trim(), strategy });
      }
    });
  return rules;
}
