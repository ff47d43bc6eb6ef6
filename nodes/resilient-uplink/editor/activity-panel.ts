import { failureBox, failureOfResponse, type Translate } from '../../shared/editor/failure-box';
import { shownBytes, shownNumber } from '../../shared/editor/figures';
import { Poller } from '../../shared/editor/poller';
import type { Activity } from '../activity-endpoint';
import { shortTime } from '../forecast';
import { drawActivity } from './activity-plot';

const STATE = '#uplink-activity-state';
const FACTS = '#uplink-activity-facts';
const PLOT = '#uplink-activity-plot';
const POLL_MS = 2000;

/** What the running node has been doing in the last minutes. */
export class ActivityPanel {
  private readonly poller: Poller<Activity>;
  private answer: Activity | undefined;

  constructor(
    id: string,
    private readonly translate: Translate,
  ) {
    this.poller = new Poller<Activity>(
      POLL_MS,
      () => $.ajax({ url: `edge/resilient-uplink/${encodeURIComponent(id)}/activity` }),
      (answer) => this.show(answer),
      (response) => this.refused(response),
    );
  }

  /** Begins or ceases to look, as the section is opened or folded. */
  toggled(open: boolean): void {
    if (open) {
      this.poller.start();
    } else {
      this.poller.stop();
    }
  }

  resized(): void {
    this.draw();
  }

  stop(): void {
    this.poller.stop();
  }

  private show(answer: Activity): void {
    this.answer = answer;
    const { now, limitBytes, samples } = answer;
    const rate = (value: number): string =>
      this.translate('activity.perSecond', { rate: shownNumber(value, 3) });
    const inTime = (seconds: number | null): string =>
      seconds === null
        ? this.translate('activity.notNow')
        : seconds === 0
          ? this.translate('activity.already')
          : shortTime(seconds);
    const facts: [string, string][] = [
      [
        'waiting',
        this.translate('activity.waitingFor', {
          messages: now.queueMessages,
          size: shownBytes(now.queueBytes),
          limit: shownBytes(limitBytes),
        }),
      ],
      ['oldest', now.queueMessages > 0 ? shortTime(now.oldestSeconds) : '–'],
      ['arriving', rate(now.arrivalRate)],
      ['delivered', rate(now.deliveryRate)],
      ['drained', now.drainSeconds === 0 ? this.translate('activity.noBacklog') : inTime(now.drainSeconds)],
      ['full', inTime(now.fullSeconds)],
    ];
    const list = $(FACTS).empty();
    facts.forEach(([key, value]) =>
      list.append($('<dt>').text(this.translate(`activity.${key}`)), $('<dd>').text(value)),
    );
    $(FACTS).show();
    $(STATE)
      .text(this.translate('activity.young'))
      .toggle(samples.length < 2);
    this.draw();
  }

  /** Draws anew, for the width that there is now. */
  private draw(): void {
    const place = document.querySelector(PLOT);
    const width = Math.floor($(place ?? []).width() ?? 0);
    const { answer } = this;
    if (!answer || !place || width <= 0 || answer.samples.length < 2) {
      return;
    }
    place.replaceChildren(
      drawActivity(answer.samples, width, {
        queue: this.translate('activity.plot.queue'),
        rate: this.translate('activity.plot.rate'),
        description: this.translate('activity.plot.description', { count: answer.now.queueMessages }),
      }),
    );
  }

  private refused(response: JQuery.jqXHR): boolean {
    const failure = failureOfResponse(response, 'ACTIVITY', (key, parameters) =>
      this.translate(`request.${key}`, parameters),
    );
    $(FACTS).hide();
    document.querySelector(PLOT)?.replaceChildren();
    const isAbsent = failure.code === 'NOT_FOUND';
    $(STATE).empty().show();
    if (isAbsent) {
      $(STATE).text(this.translate('notDeployed'));
    } else {
      $(STATE).append(failureBox(failure, this.translate));
    }
    // Nothing can be deployed while the dialog is open.
    return !isAbsent;
  }
}
