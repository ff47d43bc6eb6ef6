import type { Translate } from '../../shared/editor/failure-box';
import { shownNumber } from '../../shared/editor/figures';
import { shareBar } from '../../shared/editor/share-bar';
import { ACCENT, ALARM, element } from '../../shared/editor/svg';
import { table } from '../../shared/editor/table';
import type { Flagged, LiveSource, Progress, Replay, TopChannel } from '../live/result';
import { DASHES, flaggedMark, replayedMark } from './score-plot';

const DIGITS = 3;

/** How far the forest is, with a bar while it learns. */
export function progressView(progress: Progress, translate: Translate): JQuery {
  const { learning, learned, warmup, reference } = progress;
  if (learning) {
    const done = Math.min(learned, warmup);
    return $('<div>').append(
      $('<div>').text(translate('live.learning', { learned: done, warmup })),
      shareBar(done / warmup),
    );
  }
  const key = !reference
    ? 'live.window'
    : reference.complete
      ? 'live.reference'
      : reference.taken < reference.length
        ? 'live.commissioning'
        : 'live.growing';
  const parameters = { taken: reference?.taken, length: reference?.length };
  return $('<div>').text(translate(key, parameters));
}

/** What the lines and marks of the drawings are. */
export function legend(
  { points, threshold }: LiveSource,
  replay: Replay | undefined,
  translate: Translate,
): JQuery {
  const list = $('<div>', { class: 'edge-forest-legend' });
  const add = (mark: SVGElement, text: string): void => {
    const drawing = element('svg', { width: 18, height: 14, 'aria-hidden': 'true' });
    drawing.append(mark);
    const entry = $('<span>');
    entry.get(0)?.append(drawing);
    list.append(entry.append($('<span>').text(text)));
  };
  const line = (stroke: string, dashes: string): SVGElement =>
    element('path', { d: 'M0 7H18', stroke, 'stroke-width': 2, 'stroke-dasharray': dashes });
  add(line('currentColor', ''), translate('live.score'));
  add(line(ALARM, DASHES.threshold), named(translate('live.threshold'), threshold));
  if (points.some(([, , , outcome]) => outcome === 'flagged')) {
    add(flaggedMark(9, 7), translate('live.flagged'));
  }
  if (replay) {
    add(line(ACCENT, DASHES.tried), named(translate('live.tried'), replay.limit));
    add(replayedMark(9, 7), translate('live.wouldFlag'));
  }
  return list;
}

/** What was flagged, and what would have been. */
export function resultText(live: LiveSource, replay: Replay | undefined, translate: Translate): string {
  const all = live.points.length;
  if (!replay) {
    return translate('live.result', { flagged: counted(live.flagged, all, translate) });
  }
  if (replay.limit === null) {
    return translate('live.tooFew');
  }
  return translate('live.replayed', {
    limit: shownNumber(replay.limit, DIGITS),
    flagged: counted(replay.flagged, all, translate),
    now: String(live.flagged.readings),
  });
}

/** The channels that made readings anomalous. Their names come from strangers, so they are only ever set as text. */
export function channelTable(channels: readonly TopChannel[], translate: Translate): JQuery {
  const number = (value: number | null): string => (value === null ? '–' : shownNumber(value, 4));
  return table<TopChannel>(
    [
      { title: translate('live.channel'), cell: ({ channel }) => channel },
      { title: translate('live.value'), cell: ({ value }) => number(value), isNumber: true, width: '16%' },
      {
        title: translate('live.expected'),
        cell: ({ expected }) => number(expected),
        isNumber: true,
        width: '19%',
      },
      { title: translate('live.share'), cell: ({ share }) => shareBar(share, true), width: '25%' },
    ],
    channels,
    channels.length,
    () => '',
  );
}

function counted({ readings, episodes }: Flagged, all: number, translate: Translate): string {
  const key = episodes === 1 ? 'live.inOne' : 'live.inMany';
  return translate(readings === 0 ? 'live.none' : key, { readings, all, episodes });
}

function named(name: string, limit: number | null): string {
  return limit === null ? name : `${name} ${shownNumber(limit, DIGITS)}`;
}
