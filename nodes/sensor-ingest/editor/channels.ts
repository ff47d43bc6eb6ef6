/** One row of the channels table as the flow file holds it; empty texts where nothing was entered. */
export interface ChannelRow {
  name: string;
  path: string;
  scale: number | '';
  offset: number | '';
  unit: string;
  min: number | '';
  max: number | '';
}

const EMPTY: ChannelRow = { name: '', path: '', scale: 1, offset: 0, unit: '', min: '', max: '' };
const LIST = '#edge-ingest-channels';
const COLUMNS: { name: keyof ChannelRow; numeric: boolean }[] = [
  { name: 'name', numeric: false },
  { name: 'path', numeric: false },
  { name: 'scale', numeric: true },
  { name: 'offset', numeric: true },
  { name: 'unit', numeric: false },
  { name: 'min', numeric: true },
  { name: 'max', numeric: true },
];

export function isChannelList(value: unknown): value is ChannelRow[] {
  return Array.isArray(value);
}

/** Fills the channels table of the dialog. */
export function editChannels(node: EditorNode, rows: readonly ChannelRow[]): void {
  const header = $('<div>', { class: 'edge-ingest-columns' });
  for (const { name } of COLUMNS) {
    header.append($('<div>').text(node._(`sensor-ingest.column.${name}`)));
  }
  $(LIST).editableList<Partial<ChannelRow>>({
    header,
    height: 'auto',
    removable: true,
    sortable: true,
    addItem(container, _index, data) {
      const row = { ...EMPTY, ...data };
      container.addClass('edge-ingest-columns');
      for (const { name, numeric } of COLUMNS) {
        $('<input>', { type: numeric ? 'number' : 'text', step: 'any' })
          .attr('aria-label', node._(`sensor-ingest.column.${name}`))
          .addClass(`edge-ingest-${name}`)
          .val(row[name])
          .appendTo(container);
      }
    },
    // As a field does, for whoever follows the form.
    removeItem: () => $(LIST).trigger('change'),
    sortItems: () => $(LIST).trigger('change'),
  });
  for (const row of rows) {
    $(LIST).editableList('addItem', row);
  }
}

/** The channels table as entered; rows without name and path are left out. */
export function readChannels(): ChannelRow[] {
  const rows: ChannelRow[] = [];
  $(LIST)
    .editableList('items')
    .each(function () {
      const text = (column: keyof ChannelRow): string => {
        const value = $(this).find(`.edge-ingest-${column}`).val();
        return typeof value === 'string' ? value.trim() : '';
      };
      const number = (column: keyof ChannelRow): number | '' =>
        text(column) === '' ? '' : Number(text(column));
      const row: ChannelRow = {
        name: text('name'),
        path: text('path'),
        scale: number('scale'),
        offset: number('offset'),
        unit: text('unit'),
        min: number('min'),
        max: number('max'),
      };
      if (row.name !== '' || row.path !== '') {
        rows.push(row);
      }
    });
  return rows;
}
