import { failureBox, failureOfResponse } from '../../shared/editor/failure-box';
import { linesToList, offer, valueOf } from '../../shared/editor/forms';
import { enteredProperties } from '../../shared/editor/form-values';
import { Poller } from '../../shared/editor/poller';
import type { LiveAnswer, LiveSource } from '../live/result';
import { drawHistogram } from './histogram-plot';
import { channelTable, legend, progressView, resultText } from './live-texts';
import { drawScores } from './score-plot';

const SECTION = '#edge-forest-live';
const STATE = '#edge-forest-live-state';
const FAILURE = '#edge-forest-live-failure';
const VIEW = '#edge-forest-live-view';
const SCORES = '#edge-forest-scores';
const SOURCE = '#edge-forest-source';
const FIND = '#edge-forest-find';
const REPLAY = '#edge-forest-replay';
const POLL_MS = 2000;
/** How long the form must have been at rest. */
const REST_MS = 300;

/** The dialog's live view of the running node, and what the threshold that is entered would have flagged. */
export class LivePanel {
  private answer: LiveAnswer | undefined;
  private replaying = false;
  private readonly poller: Poller<LiveAnswer>;

  constructor(private readonly node: EditorNode) {
    $(VIEW).hide();
    this.poller = new Poller<LiveAnswer>(
      POLL_MS,
      () => this.request(),
      (answer) => this.show(answer),
      (response) => this.refused(response),
    );
    const ownField = (selector: string, events: string, restMs: number): void => {
      $(selector).on(events, (event) => {
        // It is no property of the node.
        event.stopPropagation();
        this.poller.again(restMs);
      });
    };
    ownField(SOURCE, 'change', 0);
    ownField(FIND, 'input change', REST_MS);
    $(SECTION)
      .closest('form')
      .on('input.live change.live', () => {
        if (this.replaying) {
          this.poller.again(REST_MS);
        }
      });
    $(REPLAY).on('click', () => {
      this.replaying = !this.replaying;
      this.showButton();
      this.poller.again();
    });
    this.showButton();
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

  /** Ends everything; the dialog is closing. */
  stop(): void {
    this.poller.stop();
    $(SECTION).closest('form').off('.live');
  }

  private text(key: string, parameters?: Record<string, unknown>): string {
    return this.node._(`iso-forest.${key}`, parameters);
  }

  private request(): JQuery.jqXHR {
    const url = `edge/iso-forest/${encodeURIComponent(this.node.id)}`;
    const find = valueOf(FIND);
    const look = { ...(this.answer?.live && { source: valueOf(SOURCE) }), ...(find !== '' && { find }) };
    if (!this.replaying) {
      return $.ajax({ url: `${url}/scores`, data: look });
    }
    const properties = enteredProperties(this.node, { channels: linesToList('channels') });
    return $.ajax({
      url: `${url}/replay`,
      method: 'POST',
      contentType: 'application/json',
      data: JSON.stringify({ ...look, properties }),
    });
  }

  private show(answer: LiveAnswer): void {
    this.answer = answer;
    const { live, sources, more, failure } = answer;
    const none = valueOf(FIND) === '' ? 'live.silent' : 'live.notFound';
    $(STATE)
      .text(this.text(none))
      .toggle(sources.length === 0);
    $(FAILURE).empty();
    if (failure) {
      $(FAILURE).append(failureBox(failure, (key) => this.text(key)));
    }
    $(VIEW).toggle(live !== undefined || valueOf(FIND) !== '');
    $('#edge-forest-find-row').toggle(more || valueOf(FIND) !== '');
    $('#edge-forest-of-source').toggle(live !== undefined);
    if (live) {
      const others = sources.includes(live.source) ? sources : [live.source, ...sources];
      offer(
        $(SOURCE),
        others.map((name) => [name, name === '' ? this.text('live.noTopic') : name]),
        live.source,
      );
      this.showSource(live);
    }
  }

  private showSource(live: LiveSource): void {
    const translate = (key: string, parameters?: Record<string, unknown>): string =>
      this.text(key, parameters);
    const replay = this.answer?.replay;
    $('#edge-forest-progress').empty().append(progressView(live.progress, translate));
    $(SCORES).toggle(live.points.length > 0);
    $('#edge-forest-legend')
      .empty()
      .append(legend(live, replay, translate));
    $('#edge-forest-result').text(resultText(live, replay, translate));
    const top = $('#edge-forest-channels').empty();
    if (live.channels.length > 0) {
      top.append(
        $('<div>', { class: 'edge-caption' }).text(this.text('live.channels', { count: live.explained })),
        channelTable(live.channels, translate),
      );
    }
    this.draw();
  }

  /** Draws anew, for the width that there is now. */
  private draw(): void {
    const live = this.answer?.live;
    const place = document.querySelector('#edge-forest-plot');
    const width = Math.floor($(place ?? []).width() ?? 0);
    if (!live || !place || live.points.length === 0 || width <= 0) {
      return;
    }
    const replay = this.answer?.replay;
    const summary = $('#edge-forest-result').text();
    place.replaceChildren(
      drawScores(live.points, replay, width, `${this.text('live.plot', { source: live.source })} ${summary}`),
    );
    const { histogram, threshold } = live;
    document
      .querySelector('#edge-forest-histogram')
      ?.replaceChildren(
        ...(histogram
          ? [drawHistogram(histogram, threshold, replay?.limit ?? null, width, this.text('live.histogram'))]
          : []),
      );
  }

  private showButton(): void {
    $(REPLAY)
      .attr('aria-pressed', String(this.replaying))
      .find('i')
      .toggleClass('fa-repeat', !this.replaying)
      .toggleClass('fa-times', this.replaying);
    $(REPLAY)
      .find('span')
      .text(this.text(this.replaying ? 'live.endReplay' : 'live.replay'));
  }

  /** Goes on asking: the node may run again soon. */
  private refused(response: JQuery.jqXHR): boolean {
    this.answer = undefined;
    $(VIEW).hide();
    $(FAILURE).empty();
    const failure = failureOfResponse(response, 'LIVE', (key, parameters) =>
      this.text(`request.${key}`, parameters),
    );
    $(STATE)
      .toggle(failure.code === 'NOT_FOUND')
      .text(this.text('live.notDeployed'));
    if (failure.code !== 'NOT_FOUND') {
      $(FAILURE).append(failureBox(failure, (key) => this.text(key)));
    }
    return true;
  }
}
