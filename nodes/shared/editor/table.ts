/** A column of a table in a dialog. */
export interface Column<T> {
  title: string;
  /** Text, or something to show instead of one. */
  cell: (row: T) => string | JQuery;
  /** The whole of what the text shortens, shown on hovering; the text itself otherwise. */
  whole?: (row: T) => string;
  isNumber?: boolean;
  /** CSS width; the rest is shared out evenly. */
  width?: string;
}

/**
 * Shows some of a number of rows. Names come from strangers, so texts are only ever set as text.
 *
 * @param more says how many are left out
 */
export function table<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  count: number,
  more: (count: number) => string,
): JQuery {
  const head = $('<tr>');
  for (const { title, isNumber, width } of columns) {
    const cell = $('<th>')
      .text(title)
      .toggleClass('edge-number', isNumber === true);
    head.append(width === undefined ? cell : cell.css({ width }));
  }
  const body = $('<tbody>');
  for (const row of rows) {
    const line = $('<tr>').appendTo(body);
    for (const { cell, whole, isNumber } of columns) {
      const content = cell(row);
      const place = $('<td>')
        .toggleClass('edge-number', isNumber === true)
        .appendTo(line);
      if (typeof content === 'string') {
        place.text(content).attr('title', whole?.(row) ?? content);
      } else {
        place.append(content);
      }
    }
  }
  const left = count - rows.length;
  if (left > 0) {
    body.append($('<tr>').append($('<td>', { colspan: columns.length }).text(more(left))));
  }
  return $('<div>', { class: 'edge-table' }).append($('<table>').append($('<thead>').append(head), body));
}
