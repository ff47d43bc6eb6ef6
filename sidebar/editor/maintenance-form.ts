import { LONGEST_MS, type HeardSources } from '../maintenance-bounds';
import { load, post } from './requests';
import { text } from './texts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const LENGTHS_MS = [30 * MINUTE_MS, 2 * HOUR_MS, 8 * HOUR_MS] as const;
const TYPED = 'typed';
const LONGEST_REASON = 200;

/** Puts a detector, or one of its sources, under maintenance until an end that is always said. */
export class MaintenanceForm {
  readonly root = $('<form class="edge-maintenance-form" novalidate>');
  private readonly source: JQuery;
  private readonly length = $('<select>');
  private readonly end = $('<input type="datetime-local">');
  private readonly endEntry: JQuery;
  private readonly reason = $('<input type="text">').attr('maxlength', LONGEST_REASON);
  private readonly problem = $('<p class="edge-problem" role="alert">').hide();
  private readonly start = $('<button type="submit" class="red-ui-button red-ui-button-small primary">');

  /** @param close called when it is done with, begun or not */
  constructor(
    private readonly node: string,
    private readonly close: () => void,
  ) {
    const id = `edge-maintenance-${node}`;
    this.source = $('<select>').append($('<option value="">').text(text('maintenance.all')));
    LENGTHS_MS.forEach((ms) => $('<option>').val(String(ms)).text(lengthText(ms)).appendTo(this.length));
    $('<option>').val(TYPED).text(text('maintenance.typed')).appendTo(this.length);
    this.endEntry = entry(`${id}-end`, 'end', this.end).hide();
    const cancel = $('<button type="button" class="red-ui-button red-ui-button-small">')
      .text(text('maintenance.cancel'))
      .on('click', close);
    this.root.append(
      $('<p class="edge-note">').text(text('maintenance.about')),
      entry(`${id}-source`, 'source', this.source),
      entry(`${id}-length`, 'length', this.length),
      this.endEntry,
      entry(`${id}-reason`, 'reason', this.reason),
      this.problem,
      $('<div class="edge-actions">').append(this.start.text(text('maintenance.start')), cancel),
    );
    this.length.on('change', () => this.lengthChosen());
    this.root
      .on('submit', (event) => {
        event.preventDefault();
        void this.begin();
      })
      .on('keydown', (event) => {
        if (event.key === 'Escape') {
          close();
        }
      });
  }

  /** Fetches what can be chosen, once the form stands on the page. */
  open(): void {
    this.source.trigger('focus');
    load<HeardSources>(`sidebar/maintenance/${encodeURIComponent(this.node)}`).then(
      ({ sources, more }) => {
        sources.forEach((source) => $('<option>').val(source).text(source).appendTo(this.source));
        if (more) {
          $('<option disabled>').text(text('maintenance.more-sources')).appendTo(this.source);
        }
      },
      (thrown: unknown) => this.complain(thrown),
    );
  }

  private lengthChosen(): void {
    const isTyped = this.length.val() === TYPED;
    this.endEntry.toggle(isTyped);
    if (isTyped) {
      const now = Date.now();
      this.end.attr({ min: localMinute(now), max: localMinute(now + LONGEST_MS) });
      if (!this.end.val()) {
        this.end.val(localMinute(Math.ceil((now + MINUTE_MS) / HOUR_MS) * HOUR_MS));
      }
      this.end.trigger('focus');
    }
  }

  private async begin(): Promise<void> {
    const forMs = this.chosenMs();
    this.end
      .toggleClass('input-error', forMs === undefined)
      .attr('aria-invalid', String(forMs === undefined));
    if (forMs === undefined) {
      this.complain(text('maintenance.wrong-end'));
      return;
    }
    this.start.prop('disabled', true);
    try {
      await post('sidebar/maintenance', {
        ...{ node: this.node, source: String(this.source.val() ?? ''), on: true, forMs },
        reason: String(this.reason.val() ?? '').trim(),
      });
      this.close();
    } catch (thrown) {
      this.complain(thrown);
    } finally {
      this.start.prop('disabled', false);
    }
  }

  /** Sent as a length, since the clock of the gateway may be another than that of whoever types a time. */
  private chosenMs(): number | undefined {
    if (this.length.val() !== TYPED) {
      return Number(this.length.val());
    }
    const ms = new Date(String(this.end.val() ?? '')).getTime() - Date.now();
    return ms > 0 && ms <= LONGEST_MS ? ms : undefined;
  }

  private complain(thrown: unknown): void {
    this.problem.text(thrown instanceof Error ? thrown.message : String(thrown)).show();
  }
}

function lengthText(ms: number): string {
  return ms < HOUR_MS
    ? text('maintenance.minutes', { value: ms / MINUTE_MS })
    : text('maintenance.hours', { value: ms / HOUR_MS });
}

function entry(id: string, name: string, field: JQuery): JQuery {
  const label = $('<label>')
    .attr('for', id)
    .text(text(`maintenance.${name}`));
  return $('<div class="edge-entry">').append(label, field.attr('id', id));
}

/** A time as a field of the type `datetime-local` has it. */
function localMinute(ts: number): string {
  const shifted = new Date(ts - new Date(ts).getTimezoneOffset() * MINUTE_MS);
  return shifted.toISOString().slice(0, 16);
}
