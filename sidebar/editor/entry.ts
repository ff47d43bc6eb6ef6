import { amount } from './preferences';

/**
 * A labelled number. What is no number from 0 up is marked and not handed on.
 *
 * @param changed handed the number, or undefined for an emptied field that has a placeholder
 */
export function numberEntry(
  id: string,
  labelText: string,
  value: number | undefined,
  changed: (entered: number | undefined) => void,
  placeholder?: number,
): { root: JQuery; input: JQuery } {
  const input = $('<input type="text" inputmode="decimal">')
    .attr({ id, ...(placeholder !== undefined && { placeholder: String(placeholder) }) })
    .val(value === undefined ? '' : String(value))
    .on('change', () => {
      const isEmptied = placeholder !== undefined && String(input.val()).trim() === '';
      const entered = isEmptied ? undefined : amount(input.val());
      const isWrong = !isEmptied && entered === undefined;
      input.toggleClass('input-error', isWrong).attr('aria-invalid', String(isWrong));
      if (!isWrong) {
        changed(entered);
      }
    });
  const root = $('<div class="edge-entry">').append($('<label>').attr('for', id).text(labelText), input);
  return { root, input };
}
