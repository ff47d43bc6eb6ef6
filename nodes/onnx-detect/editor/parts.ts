/** Names with what there is to say of each; what is undefined is left out. */
export function facts(entries: readonly [name: string, content: string | JQuery | undefined][]): JQuery {
  const list = $('<dl>', { class: 'edge-facts' });
  for (const [name, content] of entries) {
    if (content !== undefined && content !== '') {
      const place = $('<dd>');
      list.append(
        $('<dt>').text(name),
        typeof content === 'string' ? place.text(content) : place.append(content),
      );
    }
  }
  return list;
}

/** A part of a panel that folds. */
export function section(title: string, content: JQuery, open = false): JQuery {
  return $('<details>', { class: 'edge-onnx-part' })
    .prop('open', open)
    .append($('<summary>').text(title), content);
}
