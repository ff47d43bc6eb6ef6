import { shownNumber } from '../../shared/editor/figures';
import { ACCENT, ALARM, drawing, element, GRID, label, scale } from '../../shared/editor/svg';
import type { Histogram } from '../live/result';
import { DASHES } from './score-plot';

const HEIGHT = 110;
const MARGIN = { top: 8, right: 8, bottom: 20 };
const LEFT = 50;
/** A bar of a single reading among thousands can be seen. */
const LEAST_HEIGHT = 3;

/**
 * Draws how often each score occurs, flagged readings on top of the others, and the thresholds.
 *
 * @param tried the threshold of a replay
 * @param width of the place, in pixels
 * @param description what a screen reader says
 */
export function drawHistogram(
  { low, step, normal, flagged }: Histogram,
  threshold: number | null,
  tried: number | null,
  width: number,
  description: string,
): SVGElement {
  const svg = drawing(width, HEIGHT, description);
  const ends = [low, low + step * normal.length, ...[threshold, tried].filter((limit) => limit !== null)];
  const [from, to] = [Math.min(...ends), Math.max(...ends)];
  const [right, bottom] = [width - MARGIN.right, HEIGHT - MARGIN.bottom];
  const x = scale(from, to + step, LEFT, right);
  const most = Math.max(1, ...normal.map((count, bar) => count + flagged[bar]));
  const heightOf = (count: number): number =>
    count === 0 ? 0 : Math.max(LEAST_HEIGHT, (count / most) * (bottom - MARGIN.top));
  svg.append(element('path', { d: `M${LEFT} ${bottom}H${right}`, stroke: GRID, fill: 'none' }));
  normal.forEach((count, bar) => {
    const place = x(low + bar * step);
    const size = Math.max(1, x(low + (bar + 1) * step) - place - 1);
    const below = heightOf(count);
    const above = heightOf(flagged[bar]);
    const rect = (height: number, y: number, attributes: Record<string, string | number>): void => {
      if (height > 0) {
        svg.append(
          element('rect', {
            ...{ x: place.toFixed(1), y: y.toFixed(1), width: size.toFixed(1), height: height.toFixed(1) },
            ...attributes,
          }),
        );
      }
    };
    rect(below, bottom - below, { fill: 'currentColor', 'fill-opacity': 0.4 });
    rect(above, bottom - below - above, { class: 'edge-forest-bar-flagged', fill: ALARM });
  });
  const limit = (value: number | null, stroke: string, dashes: string): void => {
    if (value !== null) {
      const d = `M${x(value).toFixed(1)} ${MARGIN.top - 6}V${bottom}`;
      svg.append(element('path', { d, stroke, 'stroke-width': 2, 'stroke-dasharray': dashes, fill: 'none' }));
    }
  };
  limit(threshold, ALARM, DASHES.threshold);
  limit(tried, ACCENT, DASHES.tried);
  label(svg, String(most), { x: LEFT - 6, y: MARGIN.top + 4, 'text-anchor': 'end' });
  label(svg, shownNumber(from, 3), { x: LEFT, y: HEIGHT - 5 });
  label(svg, shownNumber(to, 3), { x: right, y: HEIGHT - 5, 'text-anchor': 'end' });
  return svg;
}
