import { failureBox, failureOfResponse, type Translate } from '../../shared/editor/failure-box';
import { fieldValue } from '../../shared/editor/forms';
import type { Inspection, ModelDescription } from '../inspect/result';
import { entered, enteredModel } from './entered';
import { modelView } from './model-view';

const BUTTON = '#edge-onnx-inspect';
const STATE = '#edge-onnx-inspect-state';
const PANEL = '#edge-onnx-model';
const DIGEST = '#node-input-digest';

/** Says what the model is that is entered, when somebody asks. */
export class InspectPanel {
  private underWay: JQuery.jqXHR | undefined;
  /** What was entered when the model was looked at that is shown. */
  private shownFor: string | undefined;
  private stopped = false;

  /** @param onModel told what the model is; undefined once another one is entered */
  constructor(
    private readonly node: EditorNode,
    private readonly translate: Translate,
    private readonly onModel: (model: ModelDescription | undefined) => void,
  ) {
    $(BUTTON).on('click', () => this.inspect());
    $(PANEL)
      .closest('form')
      .on('input.inspect change.inspect focusout.inspect', () => this.compare());
    let model = fieldValue('model');
    $('#node-input-model').on('input change blur', () => {
      if (fieldValue('model') !== model) {
        model = fieldValue('model');
        this.onModel(undefined);
      }
    });
  }

  /** The dialog closes. */
  stop(): void {
    this.stopped = true;
    this.underWay?.abort();
    $(PANEL).closest('form').off('.inspect');
  }

  private inspect(): void {
    if (this.underWay) {
      return;
    }
    const asked = enteredModel(this.node);
    const body = { node: this.node.id, properties: entered(this.node) };
    this.busy(true);
    this.underWay = $.ajax({
      url: 'edge/onnx-detect/inspect',
      method: 'POST',
      contentType: 'application/json',
      data: JSON.stringify(body),
    });
    this.underWay
      .done((answer: Inspection) => this.finish(asked, answer))
      .fail((response) => {
        const failure = failureOfResponse(response, 'INSPECT', (key, parameters) =>
          this.translate(`request.${key}`, parameters),
        );
        this.finish(asked, { failure });
      });
  }

  private finish(asked: string, { model, failure }: Inspection): void {
    this.underWay = undefined;
    if (this.stopped) {
      return;
    }
    this.busy(false);
    const panel = $(PANEL).empty().show();
    if (failure) {
      panel.append(failureBox(failure, this.translate));
    }
    if (model) {
      panel.append(modelView(model, this.digestView(model.digest), this.translate));
    }
    this.shownFor = asked;
    this.compare();
    this.onModel(model);
  }

  /** Says so when what is shown is no longer about what is entered. */
  private compare(): void {
    if (this.shownFor === undefined || this.underWay) {
      return;
    }
    const isStale = this.shownFor !== enteredModel(this.node);
    $(PANEL).toggleClass('edge-onnx-stale', isStale);
    $(STATE).text(isStale ? this.translate('inspect.stale') : '');
    this.showPinned();
  }

  private busy(isBusy: boolean): void {
    $(BUTTON)
      .prop('disabled', isBusy)
      .find('i')
      .toggleClass('fa-search', !isBusy)
      .toggleClass('fa-spinner fa-spin', isBusy);
    $(STATE).text(isBusy ? this.translate('inspect.busy') : '');
  }

  private digestView(digest: string): JQuery {
    const pin = $('<a>', { href: '#', class: 'edge-onnx-pin' })
      .attr('title', this.translate('inspect.pinTitle'))
      .append($('<i>', { class: 'fa', 'aria-hidden': 'true' }), ' ', $('<span>'))
      .data('digest', digest)
      .on('click', (event) => {
        event.preventDefault();
        $(DIGEST).val(digest).trigger('change');
      });
    return $('<span>').append($('<span>', { class: 'edge-onnx-digest' }).text(digest), ' ', pin);
  }

  /** Its parts stay: what is replaced while it is pressed is never clicked. */
  private showPinned(): void {
    const pin = $(`${PANEL} .edge-onnx-pin`);
    const isPinned = fieldValue('digest').trim().toLowerCase() === pin.data('digest');
    pin.find('i').toggleClass('fa-check', isPinned).toggleClass('fa-thumb-tack', !isPinned);
    const text = this.translate(isPinned ? 'inspect.pinned' : 'inspect.pin');
    if (pin.find('span').text() !== text) {
      pin.find('span').text(text);
    }
  }
}
