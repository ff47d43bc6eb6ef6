import type { PeerView } from '../../nodes/crdt-state/live/result';
import type { ConnectionReport } from '../../nodes/resilient-uplink/connection-report';
import { shownState, type Shown } from '../../nodes/resilient-uplink/editor/connection-state';
import { shortTime } from '../../nodes/resilient-uplink/forecast';

/** A card has room for so many. */
const MOST_ROWS = 8;

/** Shape and colour say the same, for those who do not tell red from green. */
const MARKS: Record<Shown, readonly [sign: string, color: string]> = {
  carries: ['●', 'green'],
  ready: ['◉', 'blue'],
  standby: ['○', 'grey'],
  connecting: ['◌', 'yellow'],
  trial: ['◐', 'yellow'],
  down: ['✕', 'red'],
};

interface Details {
  connections?: ConnectionReport[];
  peers?: PeerView[];
  morePeers?: number;
}

/** The connections of an uplink and the peers of a replica, a line each; nothing for other nodes. */
export function detailLines(details: object | undefined): JQuery[] {
  const { connections = [], peers = [], morePeers = 0 } = (details ?? {}) as Details;
  const lines = [...connections.map(connectionLine), ...peers.map(peerLine)];
  const more = lines.length - MOST_ROWS + morePeers;
  return more > 0 ? [...lines.slice(0, MOST_ROWS), $('<div class="edge-detail">').text(`+ ${more}`)] : lines;
}

function connectionLine(report: ConnectionReport): JQuery {
  const shown = shownState(report);
  const { name, id, error, nextTryMs } = report;
  const notes = [
    ofUplink(`state.${shown}`),
    ...(shown === 'down' && nextTryMs !== undefined && nextTryMs >= 1000
      ? [ofUplink('state.next', { time: shortTime(nextTryMs / 1000) })]
      : []),
    ...(error ? [error] : []),
  ];
  return line(MARKS[shown], name || id, notes, ofUplink(`state.what.${shown}`));
}

function peerLine({ gateway, present, silentMs, lacks, ahead, disagrees }: PeerView): JQuery {
  const seconds = silentMs === null ? null : Math.round(silentMs / 1000);
  const heard = present
    ? ofState('live.present')
    : seconds === null
      ? ofState('live.never')
      : ofState('live.silent', { seconds });
  const notes = [
    heard,
    ...(lacks > 0 ? [`${ofState('live.lacks')}: ${lacks}`] : []),
    ...(ahead > 0 ? [`${ofState('live.ahead')}: ${ahead}`] : []),
    ...(disagrees ? [ofState('live.disagrees')] : []),
  ];
  const mark = disagrees ? 'down' : !present ? 'standby' : lacks + ahead > 0 ? 'trial' : 'carries';
  return line(MARKS[mark], gateway, notes, lacks > 0 ? ofState('live.lacksWhole') : undefined);
}

function line(
  [sign, color]: readonly [string, string],
  name: string,
  notes: string[],
  title: string | undefined,
): JQuery {
  return $('<div class="edge-detail">')
    .attr('title', title ?? '')
    .append(
      $('<span aria-hidden="true">').addClass(`edge-sign-${color}`).text(sign),
      $('<span>').text(`${name}: ${notes.join(' · ')}`),
    );
}

/** A text of the node's own dialog, so that both say the same. */
function ofUplink(key: string, parameters?: Record<string, unknown>): string {
  return RED._(`@millwright/node-red-edge/resilient-uplink:resilient-uplink.${key}`, parameters);
}

function ofState(key: string, parameters?: Record<string, unknown>): string {
  return RED._(`@millwright/node-red-edge/crdt-state:crdt-state.${key}`, parameters);
}
