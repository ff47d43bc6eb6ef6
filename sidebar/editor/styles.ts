const ID = 'edge-sidebar-styles';

/** In the colors of whatever theme the editor has. */
const CSS = `
.edge-sidebar { height: 100%; overflow-y: auto; padding: 10px; box-sizing: border-box; }
.edge-sidebar h3 { color: var(--red-ui-secondary-text-color); font-size: 12px; font-weight: 600; line-height: 1.4; margin: 14px 0 6px; }
.edge-sidebar .edge-gateway { font-weight: 600; }
.edge-sidebar .edge-note, .edge-sidebar .edge-none { color: var(--red-ui-secondary-text-color); }
.edge-card-frame { background: var(--red-ui-form-input-background); border: 1px solid var(--red-ui-secondary-border-color); border-left: 5px solid; border-radius: 4px; margin: 0 0 8px; overflow: hidden; }
.edge-card { background: none; border: 0; color: inherit; display: block; margin: 0; padding: 6px 8px; text-align: left; width: 100%; }
.edge-card:hover, .edge-card:focus-visible { background: var(--red-ui-list-item-background-hover, var(--red-ui-secondary-background-hover)); outline-offset: -2px; }
.edge-card-head { align-items: center; display: flex; gap: 8px; }
.edge-card-name { flex: 1; font-weight: 600; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.edge-card-line { flex: 0 0 96px; height: 24px; }
.edge-card-status { align-items: center; color: var(--red-ui-secondary-text-color); display: flex; gap: 6px; margin: 2px 0; overflow-wrap: anywhere; }
.edge-dot { border-radius: 50%; flex: none; height: 8px; width: 8px; }
.edge-dot-red { background: var(--red-ui-node-status-colors-red); }
.edge-dot-green { background: var(--red-ui-node-status-colors-green); }
.edge-dot-yellow { background: var(--red-ui-node-status-colors-yellow); }
.edge-dot-blue { background: var(--red-ui-node-status-colors-blue); }
.edge-dot-grey { background: var(--red-ui-node-status-colors-grey); }
.edge-detail { display: flex; font-size: 12px; gap: 6px; overflow-wrap: anywhere; }
.edge-detail > span:first-child { flex: none; text-align: center; width: 1em; }
.edge-detail > span + span { min-width: 0; }
.edge-sign-red { color: var(--red-ui-node-status-colors-red); }
.edge-sign-green { color: var(--red-ui-node-status-colors-green); }
.edge-sign-yellow { color: var(--red-ui-node-status-colors-yellow); }
.edge-sign-blue { color: var(--red-ui-node-status-colors-blue); }
.edge-sign-grey { color: var(--red-ui-node-status-colors-grey); }
.edge-card dl { display: flex; gap: 6px; margin: 4px 0 0; }
.edge-card dl > div { flex: 1; min-width: 0; }
.edge-card dt, .edge-traffic span { color: var(--red-ui-secondary-text-color); display: block; font-size: 11px; font-weight: normal; line-height: 1.3; }
.edge-card dd { font-variant-numeric: tabular-nums; margin: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.edge-traffic { display: flex; gap: 6px; }
.edge-traffic > div { flex: 1; }
.edge-traffic strong { font-size: 15px; font-variant-numeric: tabular-nums; }
.edge-saving { margin: 6px 0; }
.edge-entry { align-items: center; color: var(--red-ui-secondary-text-color); display: flex; gap: 8px; }
.edge-entry label { flex: 1; margin: 0; }
.edge-entry input[type="text"] { margin: 0; text-align: right; width: 80px; }
.edge-sidebar ul.edge-alerts { list-style: none; margin: 0; padding: 0; }
.edge-alerts li { border-left: 3px solid var(--red-ui-node-status-colors-red); margin: 0 0 8px; overflow-wrap: anywhere; padding: 2px 8px; }
.edge-alerts li.edge-seen { border-left-color: var(--red-ui-secondary-border-color); opacity: 0.75; }
.edge-alerts li.edge-none { border: 0; padding: 0; }
.edge-alerts .edge-alert-source { font-weight: 600; }
.edge-alerts .edge-alert-time { color: var(--red-ui-secondary-text-color); font-size: 11px; }
.edge-alerts button { margin: 4px 6px 0 0; }
.edge-alerts .edge-actions { margin: 0; }
.edge-alert-said { display: flex; font-size: 12px; gap: 6px; margin-top: 2px; }
.edge-alert-said .fa { line-height: inherit; text-align: center; width: 1em; }
.edge-maintained { border-top: 1px solid var(--red-ui-secondary-border-color); overflow-wrap: anywhere; padding: 6px 8px 6px 18px; position: relative; }
.edge-maintained::before { background: repeating-linear-gradient(-45deg, var(--red-ui-node-status-colors-yellow) 0 5px, #333 5px 10px); bottom: 0; content: ''; left: 0; position: absolute; top: 0; width: 8px; }
.edge-maintained-end { align-items: center; color: var(--red-ui-secondary-text-color); display: flex; font-size: 12px; gap: 8px; justify-content: space-between; margin-top: 4px; }
.edge-maintenance-open { background: none; border: 0; border-top: 1px solid var(--red-ui-secondary-border-color); color: var(--red-ui-secondary-text-color); display: flex; font-size: 12px; gap: 6px; align-items: center; padding: 5px 8px; text-align: left; width: 100%; }
.edge-maintenance-open:hover:not(:disabled), .edge-maintenance-open:focus-visible { background: var(--red-ui-list-item-background-hover, var(--red-ui-secondary-background-hover)); color: inherit; outline-offset: -2px; }
.edge-maintenance-open:disabled { opacity: 0.5; }
.edge-sidebar .edge-maintenance-form { border-top: 1px solid var(--red-ui-secondary-border-color); margin: 0; padding: 6px 8px; }
.edge-maintenance-form .edge-entry { align-items: stretch; flex-direction: column; gap: 1px; }
.edge-maintenance-form .edge-entry label { flex: none; font-size: 12px; }
.edge-maintenance-form .edge-entry select, .edge-maintenance-form .edge-entry input { margin: 0; text-align: left; width: 100%; }
.edge-maintenance-form .edge-actions { margin: 8px 0 0; }
.edge-sidebar .edge-maintenance-form .edge-note { margin: 0 0 6px; }
.edge-sidebar .edge-problem { color: var(--red-ui-text-color-error); margin: 6px 0 0; }
.edge-machine { display: grid; gap: 2px 8px; grid-template-columns: auto 1fr; margin: 0 0 6px; }
.edge-machine dt { color: var(--red-ui-secondary-text-color); font-weight: normal; }
.edge-machine dd { font-variant-numeric: tabular-nums; margin: 0; text-align: right; }
.edge-assessment .edge-machine { grid-template-columns: minmax(0, auto) minmax(0, 1.6fr); }
.edge-assessment .edge-machine dd { overflow-wrap: break-word; }
.edge-entry select { margin: 0; min-width: 0; width: 55%; }
.edge-entry + .edge-entry { margin-top: 4px; }
.edge-levels .edge-level { margin: 1px 0 8px; }
.edge-actions { display: flex; flex-wrap: wrap; gap: 6px; margin: 8px 0; }
.edge-assessment progress { width: 100%; }
.edge-assessment .edge-note { overflow-wrap: anywhere; }
.edge-machine .edge-bad { color: var(--red-ui-text-color-error); font-weight: 600; }
`;

/** Brings the looks of the sidebar into the page, once. */
export function useSidebarStyles(): void {
  if ($(`#${ID}`).length === 0) {
    $('<style>', { id: ID }).text(CSS).appendTo(document.head);
  }
}
