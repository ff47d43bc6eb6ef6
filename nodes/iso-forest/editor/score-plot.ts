import { shownNumber, shownSpan, shownTime } from '../../shared/editor/figures';
import { ACCENT, ALARM, drawing, element, GRID, label, scale } from '../../shared/editor/svg';
import type { LivePoint, Replay } from '../live/result';

const HEIGHT = 170;
const MARGIN = { top: 10, right: 8, bottom: 20 };
/** Room for a score with four digits beside the drawing. */
const LEFT = 50;
/** What a flat line of scores is shown in. */
const LEAST_SPAN = 0.02;
export const DASHES = { threshold: '5 3', tried: '2 3' };

/**
 * Draws scores in the order in which the readings came, the threshold at each, and a mark for each reading that was
 * flagged; with a replay also its threshold, and a ring around each reading that would have been.
 *
 * @param width of the place, in pixels
 * @param description what a screen reader says
 */
export function drawScores(
  points: readonly LivePoint[],
  replay: Replay | undefined,
  width: number,
  description: string,
): SVGElement {
  const svg = drawing(width, HEIGHT, description);
  const [low, high] = spanOf(points, replay?.limit ?? undefined);
  const [right, bottom] = [width - MARGIN.right, HEIGHT - MARGIN.bottom];
  const x = scale(0, points.length - 1, LEFT, right);
  const y = scale(low, high, bottom, MARGIN.top);
  for (const value of [low, (low + high) / 2, high]) {
    const height = y(value);
    svg.append(element('path', { d: `M${LEFT} ${height}H${right}`, stroke: GRID, fill: 'none' }));
    label(svg, shownNumber(value, 3), { x: LEFT - 6, y: height + 4, 'text-anchor': 'end' });
  }
  svg.append(
    element('polyline', {
      class: 'edge-forest-line',
      points: points.map(([, score], i) => `${x(i).toFixed(1)},${y(score).toFixed(1)}`).join(' '),
      ...{ fill: 'none', stroke: 'currentColor', 'stroke-opacity': 0.65, 'stroke-linejoin': 'round' },
    }),
    element('path', {
      class: 'edge-forest-threshold',
      d: thresholdPath(points, x, y),
      ...{ fill: 'none', stroke: ALARM, 'stroke-width': 1.5, 'stroke-dasharray': DASHES.threshold },
    }),
  );
  if (replay && replay.limit !== null) {
    svg.append(
      element('path', {
        class: 'edge-forest-tried',
        d: `M${LEFT} ${y(replay.limit).toFixed(1)}H${right}`,
        ...{ fill: 'none', stroke: ACCENT, 'stroke-width': 2, 'stroke-dasharray': DASHES.tried },
      }),
    );
  }
  points.forEach(([ts, score, , outcome], i) => {
    if (outcome === 'flagged') {
      svg.append(titled(flaggedMark(x(i), y(score)), ts, score));
    }
  });
  for (const i of replay?.marks ?? []) {
    const [ts, score] = points[i];
    svg.append(titled(replayedMark(x(i), y(score)), ts, score));
  }
  const [start, end] = shownSpan(points[0][0], points[points.length - 1][0]);
  label(svg, start, { x: LEFT, y: HEIGHT - 5 });
  label(svg, end, { x: right, y: HEIGHT - 5, 'text-anchor': 'end' });
  return svg;
}

/** A reading that was flagged: a triangle, also for who cannot tell red. */
export function flaggedMark(x: number, y: number): SVGElement {
  return element('path', {
    class: 'edge-forest-flagged',
    d: `M${x.toFixed(1)} ${(y - 5).toFixed(1)}l5 9h-10z`,
    fill: ALARM,
  });
}

/** A reading that would be flagged: a ring, around the triangle where it was flagged as well. */
export function replayedMark(x: number, y: number): SVGElement {
  return element('circle', {
    class: 'edge-forest-replayed',
    ...{ cx: x.toFixed(1), cy: y.toFixed(1), r: 6 },
    ...{ fill: 'none', stroke: ACCENT, 'stroke-width': 1.5, 'pointer-events': 'all' },
  });
}

/** Least and largest of what is drawn, with some room for the marks. */
function spanOf(points: readonly LivePoint[], limit: number | undefined): [number, number] {
  const values = points.flatMap(([, score, threshold]) =>
    threshold === null ? [score] : [score, threshold],
  );
  if (limit !== undefined) {
    values.push(limit);
  }
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = Math.max((high - low) * 0.05, LEAST_SPAN / 2);
  return [low - room, high + room];
}

function thresholdPath(
  points: readonly LivePoint[],
  x: (value: number) => number,
  y: (value: number) => number,
): string {
  let path = '';
  let last: number | null = null;
  for (const [i, [, , threshold]] of points.entries()) {
    if (threshold !== null && threshold !== last) {
      const height = y(threshold).toFixed(1);
      path += last === null ? `M${x(i).toFixed(1)} ${height}` : `H${x(i).toFixed(1)}V${height}`;
    } else if (threshold === null && last !== null) {
      path += `H${x(i).toFixed(1)}`;
    }
    last = threshold;
  }
  return last === null ? path : `${path}H${x(points.length - 1).toFixed(1)}`;
}

function titled(mark: SVGElement, ts: number, score: number): SVGElement {
  const title = element('title', {});
  title.textContent = `${shownTime(ts)}: ${shownNumber(score, 4)}`;
  mark.append(title);
  return mark;
}
