import { failureBox, failureOfResponse, type Translate } from '../../shared/editor/failure-box';
import { fieldValue, valueOf } from '../../shared/editor/forms';
import type { ModelDescription, TrialAnswer } from '../inspect/result';
import { detectionView } from './detection-view';
import { entered, enteredModel } from './entered';

const BUTTON = '#edge-onnx-try';
const SAMPLE = '#edge-onnx-sample';
const STATE = '#edge-onnx-try-state';
const OUTCOME = '#edge-onnx-outcome';

/** How high the field grows by itself. */
const LEAST_LINES = 5;
const MOST_LINES = 16;

/** Tries the model that is entered on one reading. */
export class TryPanel {
  private underWay: JQuery.jqXHR | undefined;
  /** What was put into the field and may be replaced, as nobody has changed it. */
  private filled = '';
  /** What was entered when the run under way was asked for, and when the one was that is shown. */
  private asked = { settings: '', sample: '' };
  private shownFor = '';
  private stopped = false;

  constructor(
    private readonly node: EditorNode,
    private readonly translate: Translate,
  ) {
    $(BUTTON).on('click', () => this.run());
    $(SAMPLE).on('input change', (event) => {
      // It is no property of the node.
      event.stopPropagation();
      this.compare();
    });
    $(SAMPLE)
      .closest('form')
      .on('input.try change.try', () => this.compare());
  }

  /** Another model was looked at: offers its sample. */
  about(model: ModelDescription | undefined): void {
    this.fill(model?.sample ?? '');
    this.compare();
  }

  /** The dialog closes. */
  stop(): void {
    this.stopped = true;
    this.underWay?.abort();
    $(SAMPLE).closest('form').off('.try');
  }

  private fill(sample: string): void {
    if (this.sample.trim() === '' || this.sample === this.filled) {
      const lines = sample.split('\n').length + 1;
      $(SAMPLE)
        .val(sample)
        .attr('rows', Math.min(MOST_LINES, Math.max(LEAST_LINES, lines)));
      this.filled = sample;
    }
  }

  private get sample(): string {
    return valueOf(SAMPLE);
  }

  private run(): void {
    if (this.underWay) {
      return;
    }
    this.asked = { settings: this.settings, sample: this.sample };
    let sample: unknown;
    try {
      sample = this.sample.trim() === '' ? undefined : JSON.parse(this.sample);
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      this.finish({ failure: { code: 'SAMPLE', message: this.translate('try.noJson', { reason }) } });
      return;
    }
    this.busy(true);
    const body = { node: this.node.id, properties: entered(this.node), sample };
    this.underWay = $.ajax({
      url: 'edge/onnx-detect/try',
      method: 'POST',
      contentType: 'application/json',
      data: JSON.stringify(body),
    });
    this.underWay
      .done((answer: TrialAnswer) => this.finish(answer))
      .fail((response) =>
        this.finish({
          failure: failureOfResponse(response, 'TRY', (key, parameters) =>
            this.translate(`request.${key}`, parameters),
          ),
        }),
      );
  }

  private finish(answer: TrialAnswer): void {
    this.underWay = undefined;
    if (this.stopped) {
      return;
    }
    this.busy(false);
    if (answer.sample !== undefined) {
      this.fill(answer.sample);
    }
    const { settings, sample } = this.asked;
    this.shownFor = settings + (answer.sample ?? sample);
    const outcome = $(OUTCOME).empty();
    if (answer.failure) {
      outcome.append(failureBox(answer.failure, this.translate));
    }
    if (answer.detection) {
      const votes = { votes: fieldValue('votes'), window: fieldValue('voteWindow') };
      outcome.append(detectionView(answer.detection, answer, votes, this.translate));
    }
    this.compare();
  }

  /** Dims what is shown when it is no longer about what is entered. */
  private compare(): void {
    $(OUTCOME).toggleClass('edge-onnx-stale', this.shownFor !== this.settings + this.sample);
  }

  private get settings(): string {
    return enteredModel(this.node) + fieldValue('missing');
  }

  private busy(isBusy: boolean): void {
    $(BUTTON)
      .prop('disabled', isBusy)
      .find('i')
      .toggleClass('fa-play', !isBusy)
      .toggleClass('fa-spinner fa-spin', isBusy);
    $(STATE).text(isBusy ? this.translate('try.busy') : '');
  }
}
