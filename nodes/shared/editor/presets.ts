/** What a connection's dialog is filled with for a known service. A part in angle brackets is the user's to replace. */
export interface Preset {
  /** Also the key of its name and hint under `<type>.preset`. */
  id: string;
  fields: Record<string, string | number | boolean>;
}

/** Whether an address was not entered by a person, so that a preset may replace it. */
function isUnset(url: string, unset: string): boolean {
  return url === '' || url === unset || /[<>]/.test(url);
}

/**
 * Lets a person choose a preset in the dialog of a config node. It only fills fields in: nothing of it is kept.
 *
 * @param unset the address of a new node
 */
export function offerPresets(
  type: string,
  presets: readonly Preset[],
  unset: string,
  translate: (key: string) => string,
): void {
  const select = $(`#${type}-preset`);
  const hint = $(`#${type}-preset-hint`).hide();
  for (const { id } of presets) {
    $('<option>')
      .val(id)
      .text(translate(`${type}.preset.${id}.name`))
      .appendTo(select);
  }
  select.on('change', () => {
    const preset = presets.find(({ id }) => id === select.val());
    hint.toggle(preset !== undefined).text(preset ? translate(`${type}.preset.${preset.id}.hint`) : '');
    for (const [property, value] of Object.entries(preset?.fields ?? {})) {
      const field = $(`#node-config-input-${property}`);
      if (typeof value === 'boolean') {
        field.prop('checked', value);
      } else if (property !== 'url' || isUnset(String(field.val()).trim(), unset)) {
        field.val(value);
      }
      field.trigger('change');
    }
  });
}
