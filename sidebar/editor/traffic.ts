import { shownBytes, shownNumber } from '../../nodes/shared/editor/figures';
import type { Snapshot } from '../snapshot';
import { amount, keepPreferences, preferences } from './preferences';
import { monthlyCost, type NodeHistory } from './rates';
import { text } from './texts';

/** Bytes that come in and bytes that leave, as a share and as money. */
export class Traffic {
  readonly root = $('<section class="edge-part">');
  private readonly facts = $('<div class="edge-traffic">');
  private readonly saving = $('<div class="edge-saving">');

  constructor() {
    const price = $('<input type="text" inputmode="decimal" id="edge-sidebar-price">')
      .val(String(preferences().pricePerGb))
      .on('change', () => {
        const entered = amount(price.val());
        price.toggleClass('input-error', entered === undefined);
        if (entered !== undefined) {
          keepPreferences({ pricePerGb: entered });
        }
      });
    this.root.append(
      $('<h3>').text(text('heading.traffic')),
      this.facts,
      this.saving,
      $('<div class="edge-entry">').append(
        $('<label for="edge-sidebar-price">').text(text('label.price')),
        price,
      ),
    );
  }

  show({ nodes }: Snapshot, historyOf: (id: string) => NodeHistory | undefined): void {
    const sum = (type: string, name: string): number =>
      nodes
        .filter((node) => node.type === type)
        .reduce((total, { id }) => total + (historyOf(id)?.now(name) ?? 0), 0);
    const came = sum('sensor-ingest', 'edge_bytes_in_total');
    const left = sum('resilient-uplink', 'edge_bytes_out_total');
    this.facts.empty().append(fact('in', `${shownBytes(came)}/s`), fact('out', `${shownBytes(left)}/s`));
    if (came > 0) {
      this.facts.append(
        fact('less', text('unit.percent', { value: shownNumber(100 * (1 - left / came), 3) })),
      );
      const { pricePerGb } = preferences();
      const saved = monthlyCost(Math.max(0, came - left), pricePerGb);
      this.saving.text(text('traffic.saving', { saved: shownNumber(saved, 3) }));
    } else {
      this.saving.text(text('traffic.nothing'));
    }
  }
}

function fact(key: string, value: string): JQuery {
  return $('<div>').append($('<strong>').text(value), $('<span>').text(text(`traffic.${key}`)));
}
