import { shownBytes, shownNumber } from '../../nodes/shared/editor/figures';
import type { Snapshot } from '../snapshot';
import { amount, keepPreferences, preferences } from './preferences';
import { text } from './texts';

const DAY_S = 86_400;
/** Bytes written are told by the day once there is a stretch as long as this. */
const STRETCH_MS = 60_000;
const GB = 1e9;

/** The machine under the station, and what is written to its disk against a budget. */
export class Machine {
  readonly root = $('<section class="edge-part">');
  private readonly facts = $('<dl class="edge-machine">');
  private first: { ts: number; written: number } | undefined;

  constructor() {
    const budget = $('<input type="text" inputmode="decimal" id="edge-sidebar-flash">')
      .val(String(preferences().flashPerDay / GB))
      .on('change', () => {
        const entered = amount(budget.val());
        budget.toggleClass('input-error', entered === undefined);
        if (entered !== undefined) {
          keepPreferences({ flashPerDay: entered * GB });
        }
      });
    this.root.append(
      $('<h3>').text(text('heading.machine')),
      this.facts,
      $('<div class="edge-entry">').append(
        $('<label for="edge-sidebar-flash">').text(text('label.flash')),
        budget,
      ),
    );
  }

  show({ ts, host }: Snapshot): void {
    const rows: [key: string, value: string | undefined, bad?: boolean][] = [
      ['cpu', text('unit.percent', { value: shownNumber(host.cpu * 100, 2) })],
      ['memory', text('machine.used', { used: shownBytes(host.rss), free: shownBytes(host.memoryFree) })],
      [
        'disk',
        host.diskFree === undefined ? undefined : text('machine.free', { free: shownBytes(host.diskFree) }),
      ],
      ['loop', text('unit.milliseconds', { value: shownNumber(host.eventLoopP99Ms ?? 0, 2) })],
      ['temperature', host.temperature === undefined ? undefined : `${shownNumber(host.temperature, 3)} °C`],
      this.written(ts, host.written),
    ];
    this.facts.empty();
    for (const [key, value, bad] of rows) {
      if (value !== undefined) {
        this.facts.append(
          $('<dt>').text(text(`machine.${key}`)),
          $('<dd>')
            .text(value)
            .toggleClass('edge-bad', bad === true),
        );
      }
    }
  }

  private written(ts: number, written: number | undefined): [string, string | undefined, boolean?] {
    if (written === undefined) {
      return ['written', undefined];
    }
    if (!this.first || written < this.first.written) {
      this.first = { ts, written };
    }
    const { first } = this;
    if (ts - first.ts < STRETCH_MS) {
      return ['written', text('machine.measuring')];
    }
    const perDay = ((written - first.written) / ((ts - first.ts) / 1000)) * DAY_S;
    const { flashPerDay } = preferences();
    return ['written', text('machine.per-day', { value: shownBytes(perDay) }), perDay > flashPerDay];
  }
}
