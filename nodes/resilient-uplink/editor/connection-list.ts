import type { Translate } from '../../shared/editor/failure-box';
import type { ConnectionReport } from '../connection-report';
import { ConnectionTrial } from './connection-trial';
import { showState } from './connection-state';

const LIST = '#uplink-connections';
export const CONNECTION_TYPES = ['edge-broker', 'edge-http'] as const;

/** The ordered list of connections: a choice in each row, how it is doing, and buttons to test and to edit it. */
export class ConnectionList {
  private reports: readonly ConnectionReport[] | undefined;

  constructor(
    private readonly translate: Translate,
    ids: readonly string[],
  ) {
    const list = $(LIST).editableList<{ id: string }>({
      height: 'auto',
      sortable: true,
      removable: true,
      addButton: translate('label.add'),
      addItem: (row, _index, data) => this.addRow(row, (data as { id?: string }).id ?? ''),
    });
    ids.forEach((id) => list.editableList('addItem', { id }));
    for (const type of CONNECTION_TYPES) {
      $(`#uplink-add-${type}`).on('click', () => {
        RED.editor.editConfig(`new-${type}`, type, '_ADD_', 'uplink');
      });
      // The editor fills this with the config node that its dialog has made or changed.
      $(`#uplink-new-${type}`).on('change', (event) => {
        const id = $(event.target).val();
        if (typeof id === 'string' && RED.nodes.node(id) && !this.chosen().includes(id)) {
          list.editableList('addItem', { id });
        }
      });
    }
  }

  /** The ids as they stand in the list, each once. */
  chosen(): string[] {
    const ids = this.rows().map((row) => row.find('select').val());
    return [...new Set(ids.filter((id): id is string => typeof id === 'string' && id !== ''))];
  }

  /** @param reports of the running node; undefined while none runs or nothing is known */
  show(reports: readonly ConnectionReport[] | undefined): void {
    this.reports = reports;
    this.rows().forEach((row) => this.showRow(row));
  }

  private rows(): JQuery[] {
    return $(LIST)
      .editableList('items')
      .toArray()
      .map((row) => $(row));
  }

  private showRow(row: JQuery): void {
    const id = row.find('select').val();
    const report = this.reports?.find((entry) => entry.id === id);
    showState(row.find('.edge-uplink-state'), report, this.reports !== undefined, this.translate);
  }

  private addRow(row: JQuery, chosen: string): void {
    const line = $('<div>', { class: 'edge-uplink-row' }).appendTo(row);
    const select = $('<select>').attr('aria-label', this.translate('label.connection'));
    const edit = button('fa-pencil', this.translate('label.edit'));
    const trial = new ConnectionTrial(() => chosenNode(select), this.translate);
    line.append(select, trial.button, edit);
    row.append($('<div>', { class: 'edge-uplink-state', 'aria-live': 'polite' }), trial.result);
    fill(select, chosen, this.translate);
    select.on('change', () => {
      trial.clear();
      this.showRow(row);
    });
    edit.on('click', () => {
      const config = chosenNode(select);
      if (config) {
        RED.editor.editConfig(`new-${config.type}`, config.type, config.id, 'uplink');
      }
    });
    this.showRow(row);
  }
}

/** All connections that there are; one that is chosen and missing is told as such. */
function fill(select: JQuery, id: string, translate: Translate): void {
  RED.nodes.eachConfig((config) => {
    if (CONNECTION_TYPES.some((type) => type === config.type)) {
      $('<option>')
        .val(config.id)
        .text(`${RED.utils.getNodeLabel(config, config.id)} (${config.type})`)
        .appendTo(select);
    }
  });
  if (id && !RED.nodes.node(id)) {
    $('<option>').val(id).text(translate('label.missing', { id })).appendTo(select);
  }
  if (id) {
    select.val(id);
  }
}

function chosenNode(select: JQuery): EditorNode | undefined {
  const id = select.val();
  return typeof id === 'string' ? RED.nodes.node(id) : undefined;
}

export function button(icon: string, title: string): JQuery {
  return $('<button>', { type: 'button', class: 'red-ui-button red-ui-button-small', title })
    .attr('aria-label', title)
    .append($('<i>', { class: `fa ${icon}`, 'aria-hidden': 'true' }));
}
