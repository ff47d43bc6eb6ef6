import type { Figures } from './figures';
import {
  detectionTable,
  phaseTable,
  processTable,
  stageTable,
  stagesOf,
  verdictTable,
  verdicts,
  wireTable,
} from './report';
import type { Sample } from './run';
import { stateTable } from './shared-state';

const WIDTH = 860;
const HEIGHT = 220;
const MARGIN = { left: 60, right: 150, top: 12, bottom: 28 };
const COLOURS = ['#1f5fa8', '#c8641e', '#2c7d4f', '#8a3b8f', '#a8252d', '#5b6470', '#b59b00'];

interface Series {
  name: string;
  points: [x: number, y: number][];
}

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** The report as one page that needs nothing else. */
export function page(figures: Figures): string {
  const samples = figures.phases.flatMap(({ samples: of }) => of);
  const over = (name: string, value: (sample: Sample) => number): Series => ({
    name,
    points: samples.map((sample) => [sample.at, value(sample)]),
  });
  const processes = Object.keys(samples[0]?.cpu ?? {});
  const { machines, gateways, waveQos, seed, cores, loadBefore, loadAfter } = figures;
  const sections = [
    heading('Asked and reached', markdownTable(verdictTable(verdicts(figures)))),
    heading('Load', markdownTable(phaseTable(figures))),
    chart('windows/s', [over('windows handled', (sample) => sample.wavesPerSecond)]),
    chart('readings/s', [over('readings handled', (sample) => sample.telemetryPerSecond)]),
    chart('messages on their way', [
      over('windows', (sample) => sample.backlog.waves),
      over('readings', (sample) => sample.backlog.telemetry),
      over('in the outbox', (sample) => sample.queued),
    ]),
    heading('Processes', markdownTable(processTable(figures))),
    chart(
      'CPU seconds a second',
      processes.map((name) => over(name, (sample) => sample.cpu[name] ?? 0)),
    ),
    chart(
      'resident MB',
      processes.map((name) => over(name, (sample) => sample.megabytes[name] ?? 0)),
    ),
    heading('Where the main thread’s time goes', bars(figures) + markdownTable(stageTable(figures))),
    heading('Found', markdownTable(detectionTable(figures))),
    heading('On the wire', markdownTable(wireTable(figures))),
    heading('Publish to alert', alertsTable(figures)),
    ...(figures.state ? [heading('Shared state', markdownTable(stateTable(figures.state)))] : []),
  ];
  const about = `${machines} machines, ${gateways} gateway(s), windows at QoS ${waveQos}, seed ${seed}; ${cores}; load average before ${loadBefore}, after ${loadAfter}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>The factory</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1060px; margin: 2rem auto; padding: 0 1rem; color: #1c2430; }
table { border-collapse: collapse; display: block; overflow-x: auto; } td, th { padding: .25rem .7rem; border-bottom: 1px solid #dde3ea; text-align: left; }
td.pass { color: #2c7d4f; } td.missed { color: #a8252d; font-weight: 600; } svg { display: block; margin: 1rem 0; max-width: 100%; height: auto; } text { font: 12px system-ui, sans-serif; fill: #1c2430; }
</style></head><body><h1>The factory</h1><p>${escape(about)}</p>
${sections.join('\n')}
</body></html>
`;
}

function heading(title: string, body: string): string {
  return `<h2>${escape(title)}</h2>\n${body}`;
}

function markdownTable(text: string): string {
  const [header, , ...rows] = text.split('\n').map((line) =>
    line
      .slice(2, -2)
      .split(' | ')
      .map((cell) => cell.trim()),
  );
  const cell = (value: string): string =>
    `<td${value === 'pass' || value === 'missed' ? ` class="${value}"` : ''}>${escape(value)}</td>`;
  return `<table><tr>${header.map((title) => `<th>${escape(title)}</th>`).join('')}</tr>${rows
    .map((row) => `<tr>${row.map(cell).join('')}</tr>`)
    .join('')}</table>`;
}

function alertsTable({ phases }: Figures): string {
  const rows = phases.flatMap(({ name, latency }) =>
    Object.entries(latency).map(([by, { n, p50, p95, p99, max }]) =>
      [name, by, String(n), ...[p50, p95, p99, max].map((ms) => (n === 0 ? '' : ms.toFixed(1)))]
        .map((value) => `<td>${escape(value)}</td>`)
        .join(''),
    ),
  );
  const header = ['load', 'raised by', 'n', 'p50 ms', 'p95', 'p99', 'max'];
  return `<table><tr>${header.map((title) => `<th>${title}</th>`).join('')}</tr>${rows.map((row) => `<tr>${row}</tr>`).join('')}</table>`;
}

function chart(label: string, series: readonly Series[]): string {
  const xs = series.flatMap(({ points }) => points.map(([x]) => x));
  const ys = series.flatMap(({ points }) => points.map(([, y]) => y));
  const right = Math.max(1, ...xs);
  const top = Math.max(1e-9, ...ys) * 1.05;
  const x = (value: number): number => MARGIN.left + (value / right) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (value: number): number =>
    HEIGHT - MARGIN.bottom - (value / top) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const ticks = [0, 0.5, 1].map((share) => {
    const value = share * top;
    const shown = value >= 100 ? value.toFixed(0) : value.toPrecision(2);
    return `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}" stroke="#dde3ea"/><text x="${MARGIN.left - 6}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${shown}</text>`;
  });
  const lines = series.map(({ name, points }, index) => {
    const colour = COLOURS[index % COLOURS.length];
    const path = points.map(([px, py]) => `${x(px).toFixed(1)},${y(py).toFixed(1)}`).join(' ');
    const legendY = MARGIN.top + 12 + 16 * index;
    return `<polyline fill="none" stroke="${colour}" stroke-width="1.6" points="${path}"/><text x="${WIDTH - MARGIN.right + 10}" y="${legendY}" style="fill:${colour}">${escape(name)}</text>`;
  });
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" role="img" aria-label="${escape(label)} over time">${ticks.join('')}${lines.join('')}<text x="${MARGIN.left}" y="${HEIGHT - 8}">${escape(label)}; seconds 0–${right.toFixed(0)}</text></svg>`;
}

function bars(figures: Figures): string {
  const stages = stagesOf(figures);
  const largest = Math.max(...stages.map(({ micros }) => micros));
  const height = 20 * stages.length + 10;
  const rows = stages.map(({ stage, micros }, index) => {
    const length = (micros / largest) * 440;
    const at = 20 * index + 16;
    return `<text x="260" y="${at}" text-anchor="end">${escape(stage)}</text><rect x="270" y="${at - 12}" width="${length.toFixed(1)}" height="14" fill="${COLOURS[0]}"/><text x="${(276 + length).toFixed(1)}" y="${at}">${micros.toFixed(1)} µs</text>`;
  });
  return `<svg viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" role="img" aria-label="CPU by stage">${rows.join('')}</svg>`;
}
