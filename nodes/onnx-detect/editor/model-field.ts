import type { Translate } from '../../shared/editor/failure-box';
import { shownBytes } from '../../shared/editor/figures';
import type { ListedModel } from '../inspect/result';

const MENU_HEIGHT = 260;

/** Fields for a model: a path is typed, or one of the models that are there is chosen. */
export class ModelFields {
  private models: Promise<ListedModel[]> | undefined;
  private readonly fields: JQuery[] = [];
  private menu: { hide(): void } | undefined;

  constructor(private readonly translate: Translate) {}

  /**
   * @param field the text field
   * @param button opens the list of all models
   */
  attach(field: string, button: string): void {
    const input = $(field);
    input.autoComplete({
      minLength: 0,
      search: (value: string, done: (options: MenuOption[]) => void) => {
        void this.list().then((models) => done(this.optionsFor(models, value)));
      },
    });
    this.fields.push(input);
    $(button)
      .attr({ title: this.translate('model.choose'), 'aria-label': this.translate('model.choose') })
      .on('click', () => {
        // Somebody may have put a model there since the last time.
        this.models = undefined;
        void this.list().then((models) => this.open(input, this.optionsFor(models, '')));
      });
  }

  /** The dialog closes. */
  stop(): void {
    this.menu?.hide();
    this.fields.forEach((input) => input.autoComplete('destroy'));
  }

  private list(): Promise<ListedModel[]> {
    this.models ??= new Promise((resolve) => {
      $.ajax({ url: 'edge/onnx-detect/models' })
        .done(({ models }: { models: ListedModel[] }) => resolve(models))
        .fail(() => {
          // A path can be typed all the same; the list is asked for again the next time.
          this.models = undefined;
          resolve([]);
        });
    });
    return this.models;
  }

  /** Those that a typed text may mean; none once it is complete. */
  private optionsFor(models: readonly ListedModel[], typed: string): MenuOption[] {
    const text = typed.trim().toLowerCase();
    return models.some(({ model }) => model.toLowerCase() === text)
      ? []
      : models
          .filter(({ model, name = '' }) => `${model} ${name}`.toLowerCase().includes(text))
          .map((entry) => ({ value: entry.model, label: this.label(entry) }));
  }

  private label({ model, bytes, name, version, task }: ListedModel): JQuery {
    const notes = [
      [name, version].filter(Boolean).join(' '),
      task && this.translate(`model.task.${task}`),
      shownBytes(bytes),
    ];
    return $('<div>', { class: 'edge-onnx-option' }).append(
      $('<div>').text(model),
      $('<div>').text(notes.filter(Boolean).join(' · ')),
    );
  }

  private open(input: JQuery, options: MenuOption[]): void {
    this.menu?.hide();
    const none = { value: '', label: $('<i>').text(this.translate('model.none')) };
    const menu = RED.popover.menu({
      options: options.length > 0 ? options : [none],
      width: Math.max(300, input.outerWidth() ?? 0),
      maxHeight: MENU_HEIGHT,
      class: 'red-ui-autoComplete-container',
      onselect: ({ value }) => {
        if (value !== '') {
          input.val(value).trigger('change');
        }
      },
      onclose: () => (this.menu = undefined),
    });
    this.menu = menu;
    menu.show({ target: input });
  }
}
