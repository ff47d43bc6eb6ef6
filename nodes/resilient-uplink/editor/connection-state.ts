import type { Translate } from '../../shared/editor/failure-box';
import { shownTime } from '../../shared/editor/figures';
import { shortTime } from '../forecast';
import type { ConnectionReport } from '../connection-report';

/** What a connection is doing, in one word. */
export type Shown = 'carries' | 'ready' | 'standby' | 'connecting' | 'trial' | 'down';

/** Green works, blue works and waits, yellow is being tried, red does not work; grey is at rest. */
const COLORS: Record<Shown, string> = {
  carries: 'green',
  ready: 'blue',
  standby: 'grey',
  connecting: 'yellow',
  trial: 'yellow',
  down: 'red',
};

export function shownState({ state, link, carries }: ConnectionReport): Shown {
  if (state === 'open') {
    return 'down';
  }
  if (state === 'half-open') {
    return 'trial';
  }
  if (carries) {
    return 'carries';
  }
  return link === 'up' ? 'ready' : link === 'connecting' ? 'connecting' : 'standby';
}

/**
 * Writes a connection's state into its place: a dot, a word, and what is wrong; the whole of it as the tooltip.
 *
 * @param runs whether the node runs; a connection that it does not have is not deployed
 */
export function showState(
  place: JQuery,
  report: ConnectionReport | undefined,
  runs: boolean,
  translate: Translate,
): void {
  if (!report) {
    fillPlace(place, 'grey', runs ? translate('state.notDeployed') : '', '', '');
    return;
  }
  const shown = shownState(report);
  const { error, inFlight, nextTryMs, since } = report;
  const notes = [
    ...(inFlight > 0 ? [translate('state.inFlight', { count: inFlight })] : []),
    ...(nextTryMs !== undefined && nextTryMs >= 1000 && shown === 'down'
      ? [translate('state.next', { time: shortTime(nextTryMs / 1000) })]
      : []),
    ...(error ? [error] : []),
  ];
  const title = [
    `${translate(`state.${shown}`)}: ${translate(`state.what.${shown}`)}`,
    translate('state.since', { time: shownTime(since) }),
    ...(report.failures > 0 ? [translate('state.failures', { count: report.failures })] : []),
    ...(error ? [error] : []),
    ...(report.credential ? [translate('state.credential')] : []),
  ].join('\n');
  fillPlace(place, COLORS[shown], translate(`state.${shown}`), notes.join(' · '), title);
}

/** Changes only what changed: a screen reader tells of it. */
function fillPlace(place: JQuery, color: string, word: string, note: string, title: string): void {
  const shown = JSON.stringify([color, word, note]);
  place.attr('title', title).toggle(word !== '');
  if (place.data('shown') === shown) {
    return;
  }
  place
    .data('shown', shown)
    .empty()
    .append(
      $('<span>', { class: `edge-uplink-dot edge-uplink-${color}`, 'aria-hidden': 'true' }),
      $('<strong>').text(word),
      $('<span>', { class: 'edge-uplink-note' }).text(note),
    );
}
