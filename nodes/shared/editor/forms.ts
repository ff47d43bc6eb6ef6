/** Parts of dialogs that several nodes use. */

/** The palette category and the colors of the family. */
export const CATEGORY = 'edge';
export const COLORS = {
  ingest: '#8ecfc0',
  known: '#f2c078',
  novel: '#eea79b',
  state: '#b9b4ea',
  uplink: '#93c3ec',
} as const;

/** Shows elements only while a condition on the form holds; checks again whenever one of the fields changes. */
export function showWhile(selector: string, fields: string[], holds: () => boolean): void {
  const update = (): void => {
    $(selector).toggle(holds());
  };
  $(fields.join(',')).on('change', update);
  update();
}

/** The value of a form field; empty where there is none. */
export function valueOf(selector: string): string {
  const value = $(selector).val();
  return typeof value === 'string' ? value : '';
}

/** The value of a form field by its property name. */
export function fieldValue(property: string): string {
  return valueOf(`#node-input-${property}`);
}

/**
 * Makes a heading that folds the element behind it, for settings that are rarely needed.
 *
 * @param onToggle told when a person opens or closes it
 */
export function foldable(
  headingSelector: string,
  bodySelector: string,
  open = false,
  onToggle?: (visible: boolean) => void,
): void {
  const heading = $(headingSelector);
  const body = $(bodySelector);
  const show = (visible: boolean): void => {
    body.toggle(visible);
    heading.attr('aria-expanded', String(visible));
    heading.find('i').toggleClass('fa-chevron-down', visible).toggleClass('fa-chevron-right', !visible);
  };
  heading.attr({ role: 'button', tabindex: '0' });
  heading.on('click keydown', (event) => {
    if (event.type === 'click' || event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      const visible = !body.is(':visible');
      show(visible);
      onToggle?.(visible);
    }
  });
  show(open);
}

/**
 * Turns the text area `node-input-<property>-lines`, with one entry a line, into a list, and back. Its id differs from the
 * property's, because after `oneditsave` the editor writes a field's text over the property of the same id.
 */
export function linesToList(property: string): string[] {
  return linesOf(`#node-input-${property}-lines`);
}

/** The lines of a text area, trimmed, without empty ones. */
export function linesOf(selector: string): string[] {
  return valueOf(selector)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

export function listToLines(property: string, list: unknown): void {
  $(`#node-input-${property}-lines`).val(Array.isArray(list) ? list.join('\n') : '');
}

/** Fills a choice; one that is the same already is left alone, as it may be open. */
export function offer(select: JQuery, options: [value: string, label: string][], chosen: string): void {
  const same =
    select.find('option').length === options.length &&
    select
      .find('option')
      .toArray()
      .every((option, index) => $(option).val() === options[index][0]);
  if (!same) {
    select.empty();
    for (const [value, label] of options) {
      $('<option>').val(value).text(label).appendTo(select);
    }
  }
  if (select.val() !== chosen) {
    select.val(chosen);
  }
}
