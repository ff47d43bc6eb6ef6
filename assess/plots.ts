import type { Assessment } from './assessment';
import { HORIZON_MONTHS, type PaybackCase } from './money';
import { caseName, shownMonths } from './money-findings';
import { settingName } from './reduction-findings';
import type { ReportLanguage } from './report-language';

const WIDTH = 720;
const LEFT = 64;
const RIGHT = 16;
const TOP = 12;
const BOTTOM = 40;

/** Escapes what a stranger sent for HTML and SVG, texts and attributes alike. */
export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** Messages a second over time. */
export function ratePlot({ traffic: { series } }: Assessment, language: ReportLanguage): string {
  const height = 220;
  // A single stretch is a line as well.
  const points = series.points.length === 1 ? [series.points[0], series.points[0]] : series.points;
  const ticks = ticksUpTo(Math.max(...points, 0));
  const highest = ticks[ticks.length - 1];
  const across = scale(0, Math.max(1, points.length - 1), LEFT, WIDTH - RIGHT);
  const up = scale(0, highest, height - BOTTOM, TOP);
  const line = points.map((value, index) => `${fixed(across(index))},${fixed(up(value))}`).join(' ');
  const seconds = (points.length - 1) * series.secondsPerPoint;
  const marks = [0, 0.25, 0.5, 0.75, 1].map((share) => ({
    at: across(share * (points.length - 1)),
    label: language.unit('seconds', share * seconds),
  }));
  return svg(height, language.text('traffic.plot'), [
    ...grid(ticks, up, (value) => language.number(value)),
    ...marks.map(({ at, label }, index) => text(at, height - BOTTOM + 18, label, ends(index, marks.length))),
    `<polygon class="area" points="${LEFT},${fixed(up(0))} ${line} ${WIDTH - RIGHT},${fixed(up(0))}"/>`,
    `<polyline class="line one" points="${line}"/>`,
  ]);
}

/** Bytes that each setting of the reduction keeps. */
export function keptPlot({ settings, best }: Assessment, language: ReportLanguage): string {
  if (settings.length === 0) {
    return '';
  }
  const row = 26;
  const left = 170;
  const height = TOP + settings.length * row + BOTTOM;
  const across = scale(0, 1, left, WIDTH - 70);
  const marks = [0, 0.25, 0.5, 0.75, 1];
  return svg(height, language.text('reduction.plot'), [
    ...marks.map((share) => {
      const x = fixed(across(share));
      return `<line class="grid" x1="${x}" x2="${x}" y1="${TOP}" y2="${height - BOTTOM}"/>${text(across(share), height - BOTTOM + 18, language.percent(share), 'middle')}`;
    }),
    ...settings.map((setting, index) => {
      const share = setting.bytesOut / Math.max(1, setting.bytesIn);
      const y = TOP + index * row;
      const name = settingName(setting, language);
      const kind = setting.kind === 'deadband' ? 'one' : 'two';
      return [
        text(left - 8, y + 17, name, 'end', setting === best ? 'strong' : ''),
        `<rect class="bar ${kind}" x="${left}" y="${y + 5}" width="${fixed(Math.max(1, across(Math.min(1, share)) - left))}" height="${row - 10}" rx="2"/>`,
        text(
          across(Math.min(1, share)) + 6,
          y + 17,
          language.percent(share),
          'start',
          setting === best ? 'strong' : '',
        ),
      ].join('');
    }),
  ]);
}

/** What the gateway has brought in after so many months, in each case. */
export function paybackPlot({ money: { cases } }: Assessment, language: ReportLanguage): string {
  const height = 300;
  const paid = cases.map(({ months }) => months ?? 0);
  const months = Math.min(HORIZON_MONTHS, Math.max(24, Math.ceil((1.3 * Math.max(...paid)) / 12) * 12));
  const ends_ = cases.flatMap(({ once, benefit }) => [-once, benefit * months - once]);
  const ticks = ticksBetween(Math.min(0, ...ends_), Math.max(0, ...ends_));
  const across = scale(0, months, LEFT + 16, WIDTH - RIGHT);
  const up = scale(ticks[0], ticks[ticks.length - 1], height - BOTTOM, TOP);
  const step = months > 60 ? 24 : months > 24 ? 12 : 6;
  const marks = Array.from({ length: Math.floor(months / step) + 1 }, (_, index) => index * step);
  const kinds = ['one', 'two', 'three'];
  return svg(height, language.text('money.plot'), [
    ...grid(ticks, up, (value) => language.count(value), LEFT + 16),
    `<line class="zero" x1="${LEFT + 16}" x2="${WIDTH - RIGHT}" y1="${fixed(up(0))}" y2="${fixed(up(0))}"/>`,
    ...marks.map((month, index) =>
      text(
        across(month),
        height - BOTTOM + 18,
        index === 0 ? language.text('money.now') : language.counted('count.months', month),
        index === 0 ? 'start' : ends(index, marks.length),
      ),
    ),
    ...cases.map(({ once, benefit }, index) => {
      const [from, to] = [up(-once), up(benefit * months - once)].map(fixed);
      return `<line class="line ${kinds[index]}" x1="${fixed(across(0))}" x2="${fixed(across(months))}" y1="${from}" y2="${to}"/>`;
    }),
    ...cases.map(({ months: at }, index) =>
      at !== null && at <= months
        ? `<circle class="dot ${kinds[index]}" cx="${fixed(across(at))}" cy="${fixed(up(0))}" r="4"><title>${escaped(pointName(cases[index], language))}</title></circle>`
        : '',
    ),
  ]);
}

/** What the lines of {@link paybackPlot} are. */
export function paybackLegend(
  { money: { cases } }: Assessment,
  language: ReportLanguage,
): [kind: string, text: string][] {
  const kinds = ['one', 'two', 'three'];
  return cases.map((one, index) => [
    kinds[index],
    language.text('money.legend', { case: caseName(one, language), amount: language.money(one.benefit) }),
  ]);
}

function pointName(one: PaybackCase, language: ReportLanguage): string {
  return language.text('money.point', {
    case: caseName(one, language),
    months: shownMonths(one.months, language),
  });
}

function svg(height: number, description: string, parts: readonly string[]): string {
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(description)}">${parts.join('')}</svg>`;
}

function grid(
  ticks: readonly number[],
  up: (value: number) => number,
  label: (value: number) => string,
  left = LEFT,
): string[] {
  return ticks.map((value) => {
    const y = fixed(up(value));
    return `<line class="grid" x1="${left}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>${text(left - 8, up(value) + 4, label(value), 'end')}`;
  });
}

function text(x: number, y: number, content: string, anchor: string, kind = ''): string {
  const strong = kind === '' ? '' : ` class="${kind}"`;
  return `<text${strong} x="${fixed(x)}" y="${fixed(y)}" text-anchor="${anchor}">${escaped(content)}</text>`;
}

function ends(index: number, count: number): string {
  return index === 0 ? 'start' : index === count - 1 ? 'end' : 'middle';
}

function scale(from: number, to: number, start: number, end: number): (value: number) => number {
  const span = to - from;
  return (value) => (span === 0 ? start : start + ((value - from) / span) * (end - start));
}

/** Round values from 0 to at least the highest. */
function ticksUpTo(highest: number): number[] {
  return ticksBetween(0, highest > 0 ? highest : 1);
}

function ticksBetween(lowest: number, highest: number): number[] {
  const span = highest - lowest || 1;
  const rough = span / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.floor(lowest / step);
  const last = Math.max(first + 1, Math.ceil(highest / step));
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
}

function fixed(value: number): string {
  return String(Number(value.toFixed(1)));
}
