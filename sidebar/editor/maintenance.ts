import type { Maintenance, MaintenanceReport } from '../../nodes/shared/detection/maintenance';
import { actionButton, forThoseWhoMay } from './actions';
import { MaintenanceForm } from './maintenance-form';
import { shownRest, termsOf } from './maintenance-words';
import { post } from './requests';
import { text } from './texts';

/** The part of a detector's card that tells what is under maintenance, begins it and ends it. */
export class MaintenancePart {
  readonly root = $('<div class="edge-maintenance">').hide();
  private readonly list = $('<div role="status">');
  private readonly opener = $('<button type="button" class="edge-maintenance-open">');
  private rests: [Maintenance, JQuery][] = [];
  private shown = '';

  constructor(private readonly node: string) {
    this.opener
      .append($('<i class="fa fa-wrench" aria-hidden="true">'), $('<span>').text(text('maintenance.open')))
      .on('click', () => this.openForm());
    this.root.append(this.list, forThoseWhoMay(this.opener));
  }

  /**
   * @param details of the node, as `/edge/status` has them
   * @param now of the gateway's clock, ms since the epoch
   */
  show(details: object | undefined, now: number): void {
    const { maintenance, moreMaintenance = 0 } = (details ?? {}) as Partial<MaintenanceReport>;
    this.root.toggle(maintenance !== undefined);
    const next = JSON.stringify([maintenance, moreMaintenance]);
    // Drawn anew each second, a button would be gone under a finger.
    if (next !== this.shown) {
      this.shown = next;
      this.rests = [];
      this.list.empty().append(...(maintenance ?? []).map((entry) => this.line(entry, now)));
      if (moreMaintenance > 0) {
        this.list.append(
          $('<p class="edge-note">').text(text('maintenance.more', { value: moreMaintenance })),
        );
      }
    }
    this.rests.forEach(([entry, rest]) => rest.text(shownRest(entry, now)));
  }

  private line(entry: Maintenance, now: number): JQuery {
    const { source } = entry;
    const rest = $('<span>');
    this.rests.push([entry, rest]);
    const what = source === '' ? text('maintenance.of-all') : text('maintenance.of', { source });
    const end = actionButton(text('maintenance.stop'), () =>
      post('sidebar/maintenance', { node: this.node, source, on: false }),
    ).attr('aria-label', `${text('maintenance.stop')}: ${what}`);
    return $('<div class="edge-maintained">')
      .attr('data-source', source)
      .append(
        $('<div>').append($('<i class="fa fa-wrench" aria-hidden="true">'), ' ', $('<strong>').text(what)),
        $('<div>').text(termsOf(entry, now).join(' · ')),
        $('<div class="edge-maintained-end">').append(rest, end),
      );
  }

  private openForm(): void {
    const form = new MaintenanceForm(this.node, () => {
      form.root.remove();
      this.opener.show().trigger('focus');
    });
    this.opener.hide().after(form.root);
    form.open();
  }
}
