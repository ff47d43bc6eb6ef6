import { shownNumber, shownTime } from '../../nodes/shared/editor/figures';
import type { Snapshot } from '../snapshot';
import { actionButton } from './actions';
import { keepInOrder } from './in-order';
import { termsOf } from './maintenance-words';
import { post } from './requests';
import { text } from './texts';

type Alert = Snapshot['alerts'][number];

const SHELF_MS = 3_600_000;

/** Sources that were flagged, the latest first, each to be acknowledged or shelved. */
export class Alerts {
  readonly root = $('<section class="edge-part">');
  private readonly list = $('<ul class="edge-alerts">');
  private readonly none = $('<li class="edge-none">').text(text('alerts.none'));
  private entries = new Map<string, AlertEntry>();

  constructor() {
    this.root.append($('<h3>').text(text('heading.alerts')), this.list);
  }

  show({ alerts, ts }: Snapshot): void {
    this.entries = new Map(
      alerts.map((alert) => [alert.id, this.entries.get(alert.id) ?? new AlertEntry(alert)]),
    );
    alerts.forEach((alert) => this.entries.get(alert.id)?.show(alert, ts));
    const roots = [...this.entries.values()].map(({ root }) => root);
    keepInOrder(this.list, roots.length > 0 ? roots : [this.none]);
  }
}

/** One alert. Its buttons stay while the source is flagged again and again. */
class AlertEntry {
  readonly root = $('<li>');
  private readonly what = $('<div>');
  private readonly when = $('<div class="edge-alert-time">');
  private readonly done = $('<div>');
  private shownDone = '';

  constructor({ node, nodeName, source }: Alert) {
    const name = $('<a href="#" class="edge-alert-source">')
      .text(source || nodeName)
      .on('click', (event) => {
        event.preventDefault();
        RED.view.reveal(node);
      });
    this.root.append(name, this.what, this.when, this.done);
  }

  show(alert: Alert, ts: number): void {
    const { kind, label, score, channels, last, count, acknowledged, maintenance } = alert;
    const why = label ?? channels.join(', ');
    const line = [
      text(kind === 'KNOWN_FAILURE' ? 'alerts.known' : 'alerts.novel'),
      ...(why ? [why] : []),
      ...(score === null ? [] : [text('alerts.score', { score: shownNumber(score, 3) })]),
    ];
    this.root.toggleClass('edge-seen', acknowledged);
    this.what.text(line.join(' · '));
    this.when.text(count > 1 ? text('alerts.times', { count, time: shownTime(last) }) : shownTime(last));
    const next = JSON.stringify([acknowledged, alert.acknowledgedAt, alert.acknowledgedBy, maintenance]);
    if (next !== this.shownDone) {
      this.shownDone = next;
      const actions = $('<div class="edge-actions">').append(...actionsOf(alert));
      this.done.empty().append(...saidOf(alert, ts), actions);
    }
  }
}

/** Who has done what about it, when, and until when. */
function saidOf(
  { source, acknowledged, acknowledgedAt, acknowledgedBy, maintenance }: Alert,
  ts: number,
): JQuery[] {
  const said: JQuery[] = [];
  if (acknowledged) {
    said.push(
      remark('fa-check', [
        text('alerts.acknowledged'),
        ...(acknowledgedAt === undefined ? [] : [shownTime(acknowledgedAt)]),
        ...(acknowledgedBy === undefined ? [] : [text('maintenance.by', { by: acknowledgedBy })]),
      ]),
    );
  }
  if (maintenance) {
    const isShelved = maintenance.source === source;
    const what = text(isShelved ? 'alerts.shelved' : 'maintenance.of-all');
    said.push(remark('fa-wrench', [what, ...termsOf(maintenance, ts)]));
  }
  return said;
}

function actionsOf({ id, node, source, acknowledged, maintenance }: Alert): JQuery[] {
  const acknowledge = (): Promise<void> => post('sidebar/acknowledge', { id });
  const actions = acknowledged ? [] : [actionButton(text('alerts.acknowledge'), acknowledge)];
  if (maintenance) {
    const end = (): Promise<void> =>
      post('sidebar/maintenance', { node, source: maintenance.source, on: false });
    return [...actions, actionButton(text('maintenance.stop'), end)];
  }
  const shelve = async (): Promise<void> => {
    await post('sidebar/maintenance', { node, source, on: true, forMs: SHELF_MS });
    await acknowledge();
  };
  return acknowledged ? actions : [...actions, actionButton(text('alerts.shelve'), shelve)];
}

function remark(icon: string, words: string[]): JQuery {
  return $('<div class="edge-alert-said">').append(
    $('<i aria-hidden="true">').addClass(`fa ${icon}`),
    $('<span>').text(words.join(' · ')),
  );
}
