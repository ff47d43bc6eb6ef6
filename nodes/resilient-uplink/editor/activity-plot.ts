import { shownNumber, shownSpan } from '../../shared/editor/figures';
import { ACCENT, drawing, element, GRID, label, scale } from '../../shared/editor/svg';
import type { Sample } from '../activity';

const HEIGHT = 172;
const LEFT = 46;
const RIGHT = 8;
const BOTTOM = 18;
/** Where each of the two drawings begins, under its caption, and ends. */
const QUEUE = { top: 16, bottom: 72, caption: 11 };
const RATE = { top: 98, bottom: HEIGHT - BOTTOM, caption: 93 };

/** Captions of the drawings, and what a screen reader says of both. */
export interface PlotTexts {
  queue: string;
  rate: string;
  description: string;
}

/**
 * Draws what waits in the outbox, and below it what is delivered (line) and arrives (dashes) a second.
 *
 * @param width of the place, in pixels
 */
export function drawActivity(samples: readonly Sample[], width: number, texts: PlotTexts): SVGElement {
  const svg = drawing(width, HEIGHT, texts.description);
  const [from, to] = [samples[0].at, samples[samples.length - 1].at];
  const x = scale(from, to, LEFT, width - RIGHT);
  const most = (values: number[]): number => Math.max(1, ...values);
  const queue = axis(svg, QUEUE, most(samples.map(({ messages }) => messages)), width);
  const rate = axis(
    svg,
    RATE,
    most(samples.flatMap(({ arrived, delivered }) => [arrived, delivered])),
    width,
  );
  label(svg, texts.queue, { x: LEFT, y: QUEUE.caption });
  label(svg, texts.rate, { x: LEFT, y: RATE.caption });
  const line = (read: (sample: Sample) => number, y: (value: number) => number): string =>
    samples.map((sample) => `${x(sample.at).toFixed(1)},${y(read(sample)).toFixed(1)}`).join(' ');
  const waiting = line(({ messages }) => messages, queue);
  svg.append(
    element('polygon', {
      class: 'edge-uplink-queue',
      points: `${x(from)},${QUEUE.bottom} ${waiting} ${x(to)},${QUEUE.bottom}`,
      ...{ fill: ACCENT, 'fill-opacity': 0.25, stroke: 'none' },
    }),
    element('polyline', { points: waiting, fill: 'none', stroke: ACCENT, 'stroke-width': 1.5 }),
    element('polyline', {
      class: 'edge-uplink-arrived',
      points: line(({ arrived }) => arrived, rate),
      ...{ fill: 'none', stroke: 'currentColor', 'stroke-opacity': 0.6, 'stroke-dasharray': '3 3' },
    }),
    element('polyline', {
      class: 'edge-uplink-delivered',
      points: line(({ delivered }) => delivered, rate),
      ...{ fill: 'none', stroke: ACCENT, 'stroke-width': 1.5, 'stroke-linejoin': 'round' },
    }),
  );
  const [start, end] = shownSpan(from, to);
  label(svg, start, { x: LEFT, y: HEIGHT - 4 });
  label(svg, end, { x: width - RIGHT, y: HEIGHT - 4, 'text-anchor': 'end' });
  return svg;
}

/** Draws the lines of 0 and of the largest value, and gives where a value lies. */
function axis(
  svg: SVGElement,
  { top, bottom }: { top: number; bottom: number },
  largest: number,
  width: number,
): (value: number) => number {
  const y = scale(0, largest, bottom, top);
  for (const value of [0, largest]) {
    svg.append(element('path', { d: `M${LEFT} ${y(value)}H${width - RIGHT}`, stroke: GRID, fill: 'none' }));
    label(svg, shownNumber(value, 3), { x: LEFT - 6, y: y(value) + 4, 'text-anchor': 'end' });
  }
  return y;
}
