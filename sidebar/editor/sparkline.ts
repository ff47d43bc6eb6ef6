import { ACCENT, drawing, element, scale } from '../../nodes/shared/editor/svg';
import { KEPT } from './rates';

const WIDTH = 96;
const HEIGHT = 24;

/** A line of the last minute, from 0 up; nothing but its ground while there is nothing to show. */
export function sparkline(points: readonly number[], description: string): SVGElement {
  const svg = drawing(WIDTH, HEIGHT, description);
  svg.setAttribute('preserveAspectRatio', 'none');
  const highest = Math.max(...points, 0);
  const across = scale(0, KEPT - 1, 1, WIDTH - 1);
  const up = scale(0, highest || 1, HEIGHT - 2, 2);
  const first = KEPT - points.length;
  const places = points.map((value, index) => `${across(first + index)},${up(value)}`);
  if (places.length > 1) {
    const from = across(first);
    const area = `${from},${HEIGHT} ${places.join(' ')} ${WIDTH - 1},${HEIGHT}`;
    svg.append(element('polygon', { points: area, fill: ACCENT, opacity: 0.15 }));
    svg.append(
      element('polyline', {
        ...{ points: places.join(' '), fill: 'none', stroke: ACCENT },
        ...{ 'stroke-width': 1.5, 'vector-effect': 'non-scaling-stroke' },
      }),
    );
  }
  return svg;
}
