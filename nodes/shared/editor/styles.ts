const ID = 'edge-dialog-styles';

/** Looks of what several dialogs show; in the colors of whatever theme the editor has. */
const CSS = `
/* Words of other languages are longer than the editor's 100px. */
.edge-form .form-row > label:first-child { line-height: 1.25; vertical-align: middle; width: 114px; }
.edge-form .form-row > .form-tips { margin: 0 0 8px; }
.edge-failure { border-left: 3px solid var(--red-ui-border-color-error); color: var(--red-ui-text-color-error); margin: 8px 0; overflow-wrap: anywhere; padding: 4px 10px; }
.edge-failure code { color: inherit; margin-right: 8px; }
.edge-note { color: var(--red-ui-secondary-text-color); display: inline-block; margin-right: 6px; }
.edge-caption { color: var(--red-ui-secondary-text-color); margin: 8px 0 4px; }
.edge-facts { display: grid; grid-template-columns: 112px 1fr; gap: 4px 6px; margin: 8px 0; }
.edge-facts dt { color: var(--red-ui-secondary-text-color); font-weight: normal; }
.edge-facts dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
.edge-table { border: 1px solid var(--red-ui-form-input-border-color); border-radius: 4px; margin-bottom: 12px; max-height: 240px; overflow-y: auto; }
.edge-table table { border-collapse: collapse; table-layout: fixed; width: 100%; }
.edge-table th { background: var(--red-ui-form-background); color: var(--red-ui-secondary-text-color); font-weight: normal; position: sticky; text-align: left; top: 0; z-index: 1; }
.edge-table th, .edge-table td { border-bottom: 1px solid var(--red-ui-secondary-border-color); overflow: hidden; padding: 4px 8px; text-overflow: ellipsis; white-space: nowrap; }
.edge-table tr:last-child td { border-bottom: 0; }
.edge-table .edge-number { font-variant-numeric: tabular-nums; text-align: right; }
.edge-share { background: var(--red-ui-secondary-background-selected); border-radius: 2px; height: 8px; }
.edge-share > div { background: var(--red-ui-node-status-colors-blue); border-radius: 2px; height: 100%; min-width: 1px; }
.edge-shared { align-items: center; display: flex; gap: 6px; }
.edge-shared .edge-share { flex: 1; }
.edge-shared span { font-variant-numeric: tabular-nums; min-width: 40px; text-align: right; }
/* As wide as the form, and no reason for Node-RED to open the dialog wider than that. */
.edge-fit { box-sizing: border-box; margin-right: 0; min-width: 100%; width: 0; }
`;

/** Brings the shared looks into the page, once, and to the form that is being opened. */
export function useDialogStyles(): void {
  if ($(`#${ID}`).length === 0) {
    $('<style>', { id: ID }).text(CSS).appendTo(document.head);
  }
  // Node-RED makes the form anew for each dialog, so that no other node's is touched.
  $('#dialog-form, #node-config-dialog-edit-form').last().addClass('edge-form');
}
