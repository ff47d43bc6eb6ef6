import { valueOf } from '../../shared/editor/forms';
import { parseJson, type Json } from '../json-values';
import { readMerged, STRATEGIES, type Strategy } from '../merge';
import type { Sibling } from '../sibling';

const WRITES = '#crdt-state-writes';
const RESULT = '#crdt-state-merged';

const NUMBERS = ['10', '20', '60'];
const EXAMPLES: Record<Strategy, string[]> = {
  last_write_wins: NUMBERS,
  mean: NUMBERS,
  min: NUMBERS,
  max: NUMBERS,
  union: ['["a"]', '["b"]', '["a", "c"]'],
  counter: NUMBERS,
  set: ['"A17"', '"B02"', '"A17"'],
  flag: ['false', 'true', 'false'],
};

/** A worked example in the dialog: what three gateways write at the same time, and what all of them read then. */
export class StrategyExample {
  constructor(private readonly translate: (key: string, parameters?: Record<string, unknown>) => string) {
    $('#node-input-strategy').on('change', () => this.begin());
    $(WRITES).on('input change', (event) => {
      // These are no properties of the node.
      event.stopPropagation();
      this.merge();
    });
    this.begin();
  }

  private get strategy(): Strategy {
    const chosen = valueOf('#node-input-strategy');
    return STRATEGIES.find((strategy) => strategy === chosen) ?? 'last_write_wins';
  }

  private begin(): void {
    const { strategy } = this;
    $('#crdt-state-explain').text(this.translate(`explain.${strategy}`));
    $('#crdt-state-verb').text(this.translate(`example.${verbOf(strategy)}`));
    const writes = $(WRITES).empty();
    EXAMPLES[strategy].forEach((text, index) => {
      const gateway = this.translate('example.gateway', { name: 'ABC'[index] });
      const label = $('<label>').append($('<span>').text(gateway));
      $('<input>', { type: 'text', 'aria-label': gateway }).val(text).appendTo(label);
      $('<small>')
        .text(this.translate(index === 2 ? 'example.latest' : 'example.earlier'))
        .toggle(strategy === 'last_write_wins')
        .appendTo(label);
      writes.append(label);
    });
    this.merge();
  }

  private merge(): void {
    const { strategy } = this;
    const texts = $(WRITES)
      .find('input')
      .toArray()
      .map((input) => String($(input).val()));
    const values = texts.map(jsonOf);
    const siblings = values.map((value, index): Sibling => ({
      replica: `${'abc'[index]}.000000000000`,
      counter: 1,
      stamp: index + 1,
      text: JSON.stringify(strategy === 'set' ? [value] : value),
    }));
    $(RESULT).text(JSON.stringify(readMerged(strategy, siblings).value));
  }
}

function verbOf(strategy: Strategy): string {
  return strategy === 'counter' ? 'counts' : strategy === 'set' ? 'adds' : 'writes';
}

/** A person need not know that texts take quotes in JSON. */
function jsonOf(text: string): Json {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}
