import { failureBox, failureOfResponse } from '../../shared/editor/failure-box';
import { enteredProperties } from '../../shared/editor/form-values';
import type { PreviewAnswer, Recording, Sample } from '../preview/result';
import { readChannels } from './channels';
import { readFeatures } from './features';
import { showOutcome } from './outcome';
import { PlotPanel } from './plot-panel';
import { offerTopics, pastedSample, showSample, showTopic } from './sample-field';

const SECTION = '#edge-ingest-preview';
const CAPTURE = '#edge-ingest-capture';
const STATE = '#edge-ingest-preview-state';
const OUTCOME = '#edge-ingest-outcome';
/** How long the form must have been at rest, and how often the node's recording is looked at. */
const REST_MS = 300;
const POLL_MS = 1000;

/** Where the samples come from: the field, or the deployed node's recording as it is now or as it was when it was held. */
type Origin = { kind: 'pasted' } | { kind: 'live' } | { kind: 'held'; samples: Sample[] };

/** The dialog's preview: shows what the node would make of its messages under the settings that are entered. */
export class PreviewPanel {
  private origin: Origin = { kind: 'pasted' };
  private readonly plot: PlotPanel;
  private timer: number | undefined;
  private underWay: JQuery.jqXHR | undefined;
  /** Something has changed since the request under way was made. */
  private stale = false;
  private open = false;
  private stopped = false;

  constructor(private readonly node: EditorNode) {
    this.plot = new PlotPanel(
      (key, parameters) => this.text(key, parameters),
      () => this.changed(0),
    );
    $(SECTION)
      .closest('form')
      .on('input.preview change.preview', () => this.changed(REST_MS));
    $('#edge-ingest-sample').on('input', () => this.from({ kind: 'pasted' }));
    $('#edge-ingest-topics').on('change', (event) => {
      event.stopPropagation();
      const topic = $(event.target).val();
      this.fetchRecording(typeof topic === 'string' ? { topic } : {}, () => this.from({ kind: 'live' }));
    });
    $(CAPTURE).on('click', () => {
      if (this.origin.kind === 'live') {
        this.fetchRecording({}, ({ samples }) => this.from({ kind: 'held', samples }));
      } else {
        this.from({ kind: 'live' });
      }
    });
    this.from({ kind: 'pasted' });
  }

  /** Begins or ceases to look, as the section is opened or folded. */
  toggled(open: boolean): void {
    this.open = open;
    this.changed(0);
  }

  resized(): void {
    this.plot.draw();
  }

  /** Ends everything; the dialog is closing. */
  stop(): void {
    this.stopped = true;
    window.clearTimeout(this.timer);
    this.underWay?.abort();
    $(SECTION).closest('form').off('.preview');
  }

  private text(key: string, parameters?: Record<string, unknown>): string {
    return this.node._(`sensor-ingest.${key}`, parameters);
  }

  private from(origin: Origin): void {
    this.origin = origin;
    const live = origin.kind === 'live';
    showTopic(origin.kind !== 'pasted');
    $(CAPTURE).find('i').toggleClass('fa-dot-circle-o', !live).toggleClass('fa-pause', live);
    $(CAPTURE)
      .find('span')
      .text(this.text(live ? 'preview.pause' : 'preview.capture'));
    if (origin.kind === 'pasted') {
      this.state('');
    } else if (origin.kind === 'held') {
      showSample(origin.samples.at(-1));
      this.state(this.text('preview.held', { count: origin.samples.length }));
    }
    this.changed(origin.kind === 'pasted' ? REST_MS : 0);
  }

  private state(text: string): void {
    $(STATE).text(text);
  }

  private changed(delayMs: number): void {
    this.stale = true;
    window.clearTimeout(this.timer);
    if (!this.stopped && this.open) {
      this.timer = window.setTimeout(() => this.refresh(), delayMs);
    }
  }

  private refresh(): void {
    if (this.underWay) {
      // What has changed is asked for when the answer is there.
      return;
    }
    if (document.hidden && this.origin.kind === 'live') {
      this.changed(POLL_MS);
      return;
    }
    const samples = this.samples();
    if (samples?.length === 0) {
      $(OUTCOME)
        .empty()
        .append($('<div>', { class: 'form-tips' }).text(this.text('preview.empty')));
      this.plot.show(undefined);
      return;
    }
    this.stale = false;
    const { id } = this.node;
    const properties = enteredProperties(this.node, {
      channels: readChannels(),
      features: readFeatures(this.node.features),
    });
    const body = { node: id, properties, samples, plot: this.plot.choice };
    const { origin } = this;
    this.underWay = $.ajax({
      url: 'edge/sensor-ingest/preview',
      method: 'POST',
      contentType: 'application/json',
      data: JSON.stringify(body),
    });
    // What comes after the origin has changed is of no use.
    this.underWay
      .done((answer: PreviewAnswer) => this.finish(() => origin === this.origin && this.show(answer)))
      .fail((response) => this.finish(() => origin === this.origin && this.refused(response)));
  }

  /** Undefined for the node's recording. */
  private samples(): Omit<Sample, 'at'>[] | undefined {
    if (this.origin.kind !== 'pasted') {
      return this.origin.kind === 'held' ? this.origin.samples : undefined;
    }
    const sample = pastedSample();
    return sample ? [sample] : [];
  }

  private finish(use: () => void): void {
    this.underWay = undefined;
    if (this.stopped) {
      return;
    }
    use();
    if (this.stale) {
      this.changed(0);
    }
  }

  private show(answer: PreviewAnswer): void {
    if (answer.recording) {
      const { topic, count, leftOut, newest } = answer.recording;
      showSample(newest);
      offerTopics(answer.recording, this.text('preview.noTopic'));
      const state = topic === null ? 'silent' : count === 0 ? 'noneYet' : 'live';
      const left = leftOut.count > 0 ? ` · ${this.text('preview.leftOut', { count: leftOut.count })} ` : '';
      this.state(this.text(`preview.${state}`, { count }) + left + (left && leftOut.reason));
      this.poll();
    }
    showOutcome($(OUTCOME), answer, (key, parameters) => this.text(key, parameters));
    this.plot.show(answer.plot);
  }

  private poll(): void {
    if (!this.stale) {
      this.timer = window.setTimeout(() => this.changed(0), POLL_MS);
    }
  }

  private refused(response: JQuery.jqXHR): void {
    const failure = failureOfResponse(response, 'PREVIEW', (key, parameters) =>
      this.text(`preview.${key}`, parameters),
    );
    if (failure.code === 'NOT_FOUND') {
      this.from({ kind: 'pasted' });
      this.state(this.text('preview.notDeployed'));
      return;
    }
    $(OUTCOME)
      .empty()
      .append(failureBox(failure, (label) => this.text(label)));
    this.plot.show(undefined);
    if (this.origin.kind === 'live' && (response.status === 0 || response.status === 503)) {
      this.poll();
    }
  }

  private fetchRecording(parameters: { topic?: string }, use: (recording: Recording) => void): void {
    $.ajax({
      url: `edge/sensor-ingest/${encodeURIComponent(this.node.id)}/recorded`,
      data: parameters,
    })
      .done((recording: Recording) => {
        if (!this.stopped) {
          use(recording);
        }
      })
      .fail((response) => {
        if (!this.stopped) {
          this.refused(response);
        }
      });
  }
}
