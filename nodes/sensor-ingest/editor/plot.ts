import { shownNumber, shownSpan } from '../../shared/editor/figures';
import { ACCENT, drawing, element, FONT_SIZE, GRID, label, scale } from '../../shared/editor/svg';
import type { PlotPoint } from '../preview/result';

const HEIGHT = 140;
const MARGIN = { top: 8, right: 8, bottom: 20, left: 8 };

/**
 * Draws the readings of one channel as a line, and a dot for each that the reduced stream keeps.
 *
 * @param width of the place, in pixels
 * @param description what a screen reader says
 */
export function drawPlot(points: readonly PlotPoint[], width: number, description: string): SVGElement {
  const svg = drawing(width, HEIGHT, description);
  const values = points.map(([, value]) => value);
  const times = points.map(([ts]) => ts);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const [from, to] = [times[0], times[times.length - 1]];
  const labels = [shownNumber(high), shownNumber(low)];
  const left = MARGIN.left + Math.max(...labels.map((text) => text.length)) * FONT_SIZE * 0.6;
  const right = width - MARGIN.right;
  const bottom = HEIGHT - MARGIN.bottom;
  const x = scale(from, to, left, right);
  const y = scale(low, high, bottom, MARGIN.top);
  for (const height of [MARGIN.top, bottom]) {
    svg.append(element('path', { d: `M${left} ${height}H${right}`, stroke: GRID, fill: 'none' }));
  }
  const kept = points.filter(([, , isKept]) => isKept);
  svg.append(
    element('polyline', {
      class: 'edge-ingest-plot-line',
      points: points.map(([ts, value]) => `${x(ts).toFixed(1)},${y(value).toFixed(1)}`).join(' '),
      fill: 'none',
      stroke: kept.length > 0 ? 'currentColor' : ACCENT,
      'stroke-opacity': kept.length > 0 ? 0.6 : 1,
      'stroke-width': 1,
      'stroke-linejoin': 'round',
    }),
  );
  for (const [ts, value] of kept) {
    svg.append(
      element('circle', {
        class: 'edge-ingest-plot-kept',
        cx: x(ts).toFixed(1),
        cy: y(value).toFixed(1),
        r: 2.5,
        fill: ACCENT,
      }),
    );
  }
  const [start, end] = shownSpan(from, to);
  if (low === high) {
    label(svg, labels[0], { x: left - 6, y: (bottom + MARGIN.top) / 2 + 4, 'text-anchor': 'end' });
  } else {
    label(svg, labels[0], { x: left - 6, y: MARGIN.top + 4, 'text-anchor': 'end' });
    label(svg, labels[1], { x: left - 6, y: bottom + 4, 'text-anchor': 'end' });
  }
  label(svg, start, { x: left, y: HEIGHT - 5 });
  label(svg, end, { x: right, y: HEIGHT - 5, 'text-anchor': 'end' });
  return svg;
}
