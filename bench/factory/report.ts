import { table } from '../table';
import { poissonInterval, shareInterval } from './judge';
import { stateVerdict } from './shared-state';
import { worstLoop, type Figures, type Latency } from './figures';

/** A figure against what was asked for. */
export interface Verdict {
  figure: string;
  asked: string;
  here: string;
  /** Undefined where the figure was only to be said. */
  pass?: boolean;
}

const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)} %`;
const count = (value: number): string => Math.round(value).toLocaleString('en-US');
const shownLatency = ({ p50, p95, p99, max, n }: Latency): string =>
  n === 0 ? 'none' : `${p50.toFixed(1)} / ${p95.toFixed(1)} / ${p99.toFixed(1)} / ${max.toFixed(0)} (${n})`;

export function lessBytes({ bytesIn, bytesOut }: Figures['wire']): {
  all: number;
  scalars: number;
  waves: number;
} {
  const scalarsOut = bytesOut.reduced + bytesOut.telemetryAlerts;
  return {
    all: 1 - (scalarsOut + bytesOut.waveAlerts) / (bytesIn.telemetry + bytesIn.waves),
    scalars: 1 - scalarsOut / bytesIn.telemetry,
    waves: 1 - bytesOut.waveAlerts / bytesIn.waves,
  };
}

/** Everything that was asked of this run, passed or not. What the run did not do is not in the list. */
export function verdicts(figures: Figures): Verdict[] {
  const { phases, judgement, judged, machineDays, wire, losses, reduction } = figures;
  const timed = (wanted: string): Figures['phases'][number] | undefined =>
    phases.find(({ name, latency }) => name === wanted && latency.all.n > 0);
  const full = timed('full');
  const best = Math.max(...phases.map(({ timesArticle }) => timesArticle));
  const less = lessBytes(wire);
  const { known } = judgement.byClass;
  const falseOnes = judgement.falseEpisodes.telemetry + judgement.falseEpisodes.waves;
  const perThousand = (1000 * falseOnes) / (judged.telemetry + judged.waves);
  const perWeek = (7 * falseOnes) / machineDays;
  const list: Verdict[] = [
    { figure: 'sustained, times the article', asked: '≥ 1 (aim 2)', here: best.toFixed(2), pass: best >= 1 },
  ];
  const asked = [
    { phase: timed('half'), limit: 10 },
    { phase: full, limit: 50 },
  ];
  for (const { phase, limit } of asked) {
    if (phase) {
      const { p95 } = phase.latency.all;
      const reached = phase.timesArticle / offeredMultiple(figures, phase.name);
      list.push({
        figure: `publish → alert, p95, ${phase.name} load`,
        asked: `≤ ${limit} ms`,
        here: `${p95.toFixed(1)} ms${reached < 0.99 ? ` with ${percent(reached, 0)} of the load taken` : ''}`,
        pass: p95 <= limit && reached >= 0.99,
      });
    }
  }
  if (full) {
    const { max } = full.latency.all;
    list.push({
      figure: 'publish → alert, worst, full load',
      asked: '≤ 200 ms',
      here: `${max.toFixed(0)} ms`,
      pass: max <= 200,
    });
  }
  list.push(
    {
      figure: 'bytes to the cloud, all',
      asked: '≥ 97 % less',
      here: percent(less.all, 2),
      pass: less.all >= 0.97,
    },
    { figure: 'scalars alone', asked: '≥ 90 % less', here: percent(less.scalars), pass: less.scalars >= 0.9 },
    {
      figure: 'accepted by the uplink and delivered',
      asked: 'all',
      here: `${count(losses.received)} of ${count(losses.stored)}`,
      // What a killed gateway had stored since its last word is in no count, but arrives.
      pass: losses.received >= losses.stored,
    },
    {
      figure: 'reduced channels, largest error',
      asked: '≤ 1 % of span',
      here: `${reduction.maxErrorPercent.toFixed(3)} % of ${count(reduction.compared)} values`,
      pass: reduction.compared > 0 && reduction.maxErrorPercent <= 1 + 1e-6,
    },
    {
      figure: 'known failures found',
      asked: '≥ 95 %',
      here:
        known.incidents === 0
          ? 'none was over'
          : `${known.found} of ${known.incidents}, ${percent(known.found / known.incidents)} (${interval(shareInterval(known), 100, 1)} %)`,
      pass: known.incidents === 0 ? undefined : known.found >= 0.95 * known.incidents,
    },
    {
      figure: 'false episodes by 1,000 readings',
      asked: '≤ 0.5',
      here: `${perThousand.toFixed(3)} (${interval(poissonInterval(falseOnes), 1000 / (judged.telemetry + judged.waves), 3)})`,
      pass: perThousand <= 0.5,
    },
    {
      figure: 'false episodes by machine-week',
      asked: 'with its interval',
      here: `${perWeek.toFixed(1)} (${interval(poissonInterval(falseOnes), 7 / machineDays, 1)}), ${falseOnes} in ${machineDays.toFixed(2)} machine-days`,
    },
  );
  if (figures.state) {
    list.push(stateVerdict(figures.state));
  }
  return list;
}

function interval([low, high]: [number, number], scale: number, digits: number): string {
  return `${(low * scale).toFixed(digits)}–${(high * scale).toFixed(digits)}`;
}

function offeredMultiple({ phases, machines }: Figures, name: string): number {
  return (phases.find((phase) => phase.name === name)?.multiple ?? 1) * (machines / 3000);
}

function verdictOf(pass: boolean | undefined): string {
  return pass === undefined ? '' : pass ? 'pass' : 'missed';
}

export function verdictTable(list: readonly Verdict[]): string {
  return table(
    ['figure', 'asked', 'here', ''],
    list.map(({ figure, asked, here, pass }) => [figure, asked, here, verdictOf(pass)]),
  );
}

export function phaseTable({ phases }: Figures): string {
  return table(
    [
      'load',
      'offered ×',
      'taken ×',
      'windows/s, readings/s',
      'MB/s',
      'publish → alert in the cloud, ms: p50 / p95 / p99 / max (n)',
      'of raw windows',
      'loop delay p50 / p99 / max',
    ],
    phases.map(({ name, multiple, timesArticle, handled, megabytesPerSecond, latency: by, loop }) => {
      const { p50, p99, max } = worstLoop(loop);
      return [
        name,
        multiple === 0 ? 'all' : multiple.toFixed(2),
        timesArticle.toFixed(2),
        `${count(handled.waves)}, ${count(handled.telemetry)}`,
        megabytesPerSecond.toFixed(1),
        shownLatency(by.all),
        shownLatency(by.waves),
        `${p50.toFixed(1)} / ${p99.toFixed(1)} / ${max.toFixed(0)}`,
      ];
    }),
  );
}

export function processTable({ phases }: Figures): string {
  const names = Object.keys(phases[0].cpu);
  return table(
    ['process', ...phases.map(({ name }) => `${name}: CPU s/s (main thread)`), 'MB at the end'],
    names.map((process) => [
      process,
      ...phases.map(({ cpu }) => `${cpu[process].all.toFixed(2)} (${cpu[process].mainThread.toFixed(2)})`),
      (phases[phases.length - 1].samples.at(-1)?.megabytes[process] ?? 0).toFixed(0),
    ]),
  );
}

/** CPU of whole gateways, all threads, in µs a message, by load. */
export function gatewayMicros({ phases }: Figures): string {
  return phases
    .map(({ name, cpu, handled }) => {
      const gateways = Object.entries(cpu).filter(([process]) => process.startsWith('gateway'));
      const spent = gateways.reduce((sum, [, { all }]) => sum + all, 0);
      return `${name} ${((1e6 * spent) / (handled.telemetry + handled.waves)).toFixed(0)}`;
    })
    .join(', ');
}

/** CPU of the main threads of all gateways by stage, in µs for each window and reading together. */
export function stagesOf({ profile }: Figures): { stage: string; micros: number; share: number }[] {
  const total: Record<string, number> = {};
  let handled = 0;
  for (const { micros, handled: of } of profile) {
    handled += of.telemetry + of.waves;
    for (const [stage, spent] of Object.entries(micros)) {
      total[stage] = (total[stage] ?? 0) + spent;
    }
  }
  const all = Object.values(total).reduce((sum, spent) => sum + spent, 0);
  return Object.entries(total)
    .map(([stage, spent]) => ({ stage, micros: spent / handled, share: spent / all }))
    .sort((a, b) => b.micros - a.micros);
}

export function stageTable(figures: Figures): string {
  return table(
    ['stage (main thread)', 'µs a message', 'share'],
    stagesOf(figures).map(({ stage, micros, share }) => [stage, micros.toFixed(1), percent(share)]),
  );
}

export function detectionTable({ judgement }: Figures): string {
  const { byClass, byWhat, knownByAny } = judgement;
  return table(
    ['incident', 'found', 'of', 'share'],
    [
      ...Object.entries({ ...byWhat, 'all known': byClass.known, 'all novel': byClass.novel }),
      ['known, by any detector', { incidents: byClass.known.incidents, found: knownByAny }] as const,
    ].map(([what, { found, incidents }]) => [
      what,
      String(found),
      String(incidents),
      incidents === 0 ? '' : percent(found / incidents),
    ]),
  );
}

export function wireTable({ wire }: Figures): string {
  const { bytesIn, bytesOut, messagesOut } = wire;
  const less = lessBytes(wire);
  const mb = (bytes: number): string => (bytes / 1e6).toFixed(2);
  return table(
    ['wire (PUBLISH packets)', 'MB in', 'MB out', 'less', 'messages out'],
    [
      [
        'raw windows',
        mb(bytesIn.waves),
        mb(bytesOut.waveAlerts),
        percent(less.waves, 3),
        count(messagesOut.waveAlerts),
      ],
      [
        'scalars',
        mb(bytesIn.telemetry),
        mb(bytesOut.reduced + bytesOut.telemetryAlerts),
        percent(less.scalars),
        count(messagesOut.reduced + messagesOut.telemetryAlerts),
      ],
      [
        'all',
        mb(bytesIn.waves + bytesIn.telemetry),
        mb(bytesOut.waveAlerts + bytesOut.reduced + bytesOut.telemetryAlerts),
        percent(less.all, 2),
        count(messagesOut.waveAlerts + messagesOut.reduced + messagesOut.telemetryAlerts),
      ],
    ],
  );
}
