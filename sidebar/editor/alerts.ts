import { shownNumber, shownTime } from '../../nodes/shared/editor/figures';
import type { Snapshot } from '../snapshot';
import { complain, post } from './requests';
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

  show({ alerts }: Snapshot): void {
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
    alerts.forEach((alert) => this.list.append(this.entry(alert)));
  }

  private entry(alert: Alert): JQuery {
    const { id, node, source, kind, label, score, channels, last, count, acknowledged } = alert;
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
    if (!acknowledged) {
      entry.append(
        this.button('alerts.acknowledge', () => post('sidebar/acknowledge', { id })),
        this.button('alerts.shelve', async () => {
          await post('sidebar/maintenance', { node, source, on: true, forMs: SHELF_MS });
          await post('sidebar/acknowledge', { id });
        }),
      );
    }
    return entry;
  }

  private button(key: string, act: () => Promise<void>): JQuery {
    return $('<button type="button" class="red-ui-button red-ui-button-small">')
      .text(text(key))
      .on('click', () => {
        act().catch(complain);
      });
  }
}
