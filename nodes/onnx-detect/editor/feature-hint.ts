import type { Translate } from '../../shared/editor/failure-box';
import { linesToList } from '../../shared/editor/forms';
import { checkFeatures, type FeatureCheck } from '../inspect/feature-check';
import type { KnownFeatures, ModelDescription } from '../inspect/result';

const HINT = '#edge-onnx-features-hint';
const FIELD = '#node-input-features-lines';

/** Says below the channels when they do not fit the model that was looked at, and offers the ones that do. */
export class FeatureHint {
  private model: ModelDescription | undefined;
  private shown = '';

  constructor(private readonly translate: Translate) {
    $(FIELD).on('input change', () => this.show());
    this.show();
  }

  /** Another model was looked at; undefined = none. */
  about(model: ModelDescription | undefined): void {
    this.model = model;
    this.show();
  }

  private show(): void {
    const check: FeatureCheck = this.model
      ? checkFeatures(linesToList('features'), this.model)
      : { kind: 'fits' };
    const shown = JSON.stringify(check);
    if (shown === this.shown) {
      // A press on the button leaves the field first: to put another button in its place would lose it.
      return;
    }
    this.shown = shown;
    const hint = $(HINT)
      .empty()
      .toggle(check.kind !== 'fits');
    if (check.kind === 'fits') {
      return;
    }
    hint.append($('<span>').text(this.text(check)));
    if (check.kind !== 'unnamed' && check.known) {
      hint.append(' ', this.takeOver(check.known));
    }
  }

  private text(check: Exclude<FeatureCheck, { kind: 'fits' }>): string {
    const by =
      check.kind === 'unnamed' || !check.known ? '' : this.translate(`features.by.${check.known.namedBy}`);
    return this.translate(`features.${check.kind}`, { ...check, by });
  }

  private takeOver({ names }: KnownFeatures): JQuery {
    return $('<button>', { type: 'button', class: 'red-ui-button red-ui-button-small' })
      .text(this.translate('features.takeOver'))
      .on('click', () => {
        $(FIELD).val(names.join('\n')).trigger('change');
      });
  }
}
