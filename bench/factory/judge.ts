import { machineOf, type TimedAlert } from './site';
import type { IncidentClass } from './plan';
import type { Played } from './protocol';

export interface Found {
  incidents: number;
  found: number;
}

export interface Judgement {
  /** Incidents that were over when the run ended; `known` counts as found only when onnx-detect said so first-hand. */
  byClass: Record<'known' | 'novel', Found>;
  byWhat: Record<string, Found>;
  /** Known failures that any detector announced. */
  knownByAny: number;
  /** Episodes that belong to no known or novel incident; those within a benign change apart. */
  falseEpisodes: Record<'telemetry' | 'waves', number>;
  inBenign: number;
}

/** Holds every episode that began against the incidents that were played. */
export function judge(alerts: readonly TimedAlert[], played: Iterable<Played>): Judgement {
  const starts = alerts.filter(({ phase }) => phase === 'start');
  const byMachine = new Map<number, Played[]>();
  const all = [...played];
  for (const incident of all) {
    const list = byMachine.get(incident.machine) ?? [];
    byMachine.set(incident.machine, [...list, incident]);
  }
  const heard = new Map<number, Set<string>>();
  const falseEpisodes = { telemetry: 0, waves: 0 };
  let inBenign = 0;
  for (const { source, publishedAt, kind } of starts) {
    const cause = byMachine
      .get(machineOf(source))
      ?.find(({ beganAt, overAt = Infinity }) => publishedAt >= beganAt && publishedAt <= overAt);
    if (cause && cause.class !== 'benign') {
      heard.set(cause.id, (heard.get(cause.id) ?? new Set()).add(kind));
      continue;
    }
    falseEpisodes[source.endsWith('/vibration') ? 'waves' : 'telemetry']++;
    inBenign += cause ? 1 : 0;
  }
  const over = all.filter(({ overAt }) => overAt !== undefined);
  const finds = (incident: Played): boolean => {
    const kinds = heard.get(incident.id);
    return incident.class === 'known' ? kinds?.has('KNOWN_FAILURE') === true : kinds !== undefined;
  };
  const tally = (some: readonly Played[]): Found => ({
    incidents: some.length,
    found: some.filter(finds).length,
  });
  const of = (wanted: IncidentClass): Played[] => over.filter((incident) => incident.class === wanted);
  const faults = over.filter((incident) => incident.class !== 'benign');
  return {
    byClass: { known: tally(of('known')), novel: tally(of('novel')) },
    byWhat: Object.fromEntries(
      [...new Set(faults.map(({ what }) => what))]
        .sort()
        .map((what) => [what, tally(faults.filter((incident) => incident.what === what))]),
    ),
    knownByAny: of('known').filter(({ id }) => heard.has(id)).length,
    falseEpisodes,
    inBenign,
  };
}

/** The exact interval (Garwood) of a Poisson mean of which `count` were seen. */
export function poissonInterval(count: number, confidence = 0.95): [low: number, high: number] {
  const tail = (1 - confidence) / 2;
  const low = count === 0 ? 0 : solve((mean) => 1 - poissonCdf(count - 1, mean) - tail, count);
  return [low, solve((mean) => tail - poissonCdf(count, mean), count)];
}

/** The exact interval (Clopper–Pearson) of a share, by bisection on the binomial distribution. */
export function shareInterval(
  { incidents: n, found }: Found,
  confidence = 0.95,
): [low: number, high: number] {
  const tail = (1 - confidence) / 2;
  const low = found === 0 ? 0 : bisect((share) => 1 - binomialCdf(found - 1, n, share) - tail, 0, 1);
  const high = found === n ? 1 : bisect((share) => tail - binomialCdf(found, n, share), 0, 1);
  return [low, high];
}

function solve(rising: (mean: number) => number, count: number): number {
  return bisect(rising, 0, 10 + 2 * count + 10 * Math.sqrt(count + 1));
}

function bisect(rising: (x: number) => number, low: number, high: number): number {
  for (let step = 0; step < 100; step++) {
    const middle = (low + high) / 2;
    if (rising(middle) < 0) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return (low + high) / 2;
}

function poissonCdf(count: number, mean: number): number {
  let log = -mean;
  let sum = 0;
  for (let k = 0; k <= count; k++) {
    sum += Math.exp(log);
    log += Math.log(mean) - Math.log(k + 1);
  }
  return Math.min(1, sum);
}

function binomialCdf(count: number, n: number, share: number): number {
  if (share <= 0 || share >= 1) {
    return share <= 0 || count >= n ? 1 : 0;
  }
  let log = n * Math.log(1 - share);
  let sum = 0;
  for (let k = 0; k <= count; k++) {
    sum += Math.exp(log);
    log += Math.log((n - k) / (k + 1)) + Math.log(share / (1 - share));
  }
  return Math.min(1, sum);
}
