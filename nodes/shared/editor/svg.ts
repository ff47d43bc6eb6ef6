const SVG = 'http://www.w3.org/2000/svg' as const;

/** Parts of drawings, in the colors of whatever theme the editor has. */
export const FONT_SIZE = 11;
export const GRID = 'var(--red-ui-secondary-border-color)';
const TEXT = 'var(--red-ui-secondary-text-color)';
/** Blue in every theme, and of no meaning such as an error's. */
export const ACCENT = 'var(--red-ui-node-status-colors-blue)';
/** Red in every theme: something is wrong with a machine. */
export const ALARM = 'var(--red-ui-node-status-colors-red)';

/** Maps values to places. Puts everything in the middle where there is only one value. */
export function scale(from: number, to: number, start: number, end: number): (value: number) => number {
  const span = to - from;
  return (value) => (span === 0 ? (start + end) / 2 : start + ((value - from) / span) * (end - start));
}

/**
 * An empty drawing.
 *
 * @param width of the place, in pixels
 * @param description what a screen reader says
 */
export function drawing(width: number, height: number, description: string): SVGElement {
  return element('svg', {
    ...{ viewBox: `0 0 ${width} ${height}`, width: '100%', height },
    ...{ role: 'img', 'aria-label': description },
  });
}

/** Writes a text into a drawing. */
export function label(svg: SVGElement, text: string, attributes: Record<string, string | number>): void {
  const drawn = element('text', { fill: TEXT, 'font-size': FONT_SIZE, ...attributes });
  drawn.textContent = text;
  svg.append(drawn);
}

/** An SVG element with attributes. */
export function element(name: string, attributes: Record<string, string | number>): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) {
    made.setAttribute(attribute, String(value));
  }
  return made;
}
