import { shownNumber, shownTime } from '../../nodes/shared/editor/figures';
import type { Snapshot } from '../snapshot';
import { actionButton } from './actions';
import { termsOf } from './maintenance-words';
import { post } from './requests';
import { text } from './texts';

type Alert = Snapshot['alerts'][number];

const SHELF_MS = 3_600_000;

/** Sources that were flagged, the latest first, each to be acknowledged or shelved. */
export class Alerts {
  readonly root = $('<section class="edge-part">');
  private readonly list = $('<ul class="edge-alerts">');
  private shown = '';

  constructor() {
    this.root.append($('<h3>').text(text('heading.alerts')), this.list);
  }

  show({ alerts, ts }: Snapshot): void {
    const next = JSON.stringify(alerts);
    // Drawn anew each second, a button would be gone under a finger.
    if (next === this.shown) {
      return;
    }
    this.shown = next;
    this.list.empty();
    if (alerts.length === 0) {
      this.list.append($('<li class="edge-none">').text(text('alerts.none')));
    }
    alerts.forEach((alert) => this.list.append(this.entry(alert, ts)));
  }

  private entry(alert: Alert, ts: number): JQuery {
    const { node, source, kind, label, score, channels, last, count, acknowledged } = alert;
    const why = label ?? channels.join(', ');
    const line = [
      text(kind === 'KNOWN_FAILURE' ? 'alerts.known' : 'alerts.novel'),
      ...(why ? [why] : []),
      ...(score === null ? [] : [text('alerts.score', { score: shownNumber(score, 3) })]),
    ];
    const entry = $('<li>').toggleClass('edge-seen', acknowledged);
    $('<a href="#" class="edge-alert-source">')
      .text(source || alert.nodeName)
      .on('click', (event) => {
        event.preventDefault();
        RED.view.reveal(node);
      })
      .appendTo(entry);
    $('<div>').text(line.join(' · ')).appendTo(entry);
    $('<div class="edge-alert-time">')
      .text(count > 1 ? text('alerts.times', { count, time: shownTime(last) }) : shownTime(last))
      .appendTo(entry);
    return entry.append(...saidOf(alert, ts), $('<div class="edge-actions">').append(...actionsOf(alert)));
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
