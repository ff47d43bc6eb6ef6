import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { linesOf } from './flow';
import { settled } from './run';
import { Site, type SiteOptions } from './site';

export interface ScoresOptions {
  machines: number;
  rounds: number;
  seed: number;
  gateways: number;
}

/** What the same messages came to over several gateways, one of which was killed and started again, and over one. */
export interface ScoresCompared {
  /** Readings and windows that one gateway judged, and those of them that the several never did. */
  judged: number;
  missing: number;
  /** Judged again after the kill: at-least-once. */
  again: number;
  /** Sources on gateways that ran through, and those with every score equal to that of the one gateway. */
  through: { sources: number; equal: number };
  /** Sources on the killed one: equal in all scores, and up to the first reading that was judged after its start. */
  killed: { sources: number; equal: number; equalBefore: number };
}

/** A reading by what identifies it within its source, with its score. */
interface Scored {
  key: string;
  score: string;
}

const DOWN_MS = 2000;
const INCIDENTS_PER_MACHINE = 1 / 100;
const AHEAD = 1000;

/** Sends the same messages through one gateway, then through several of which the last is killed halfway. */
export async function compareScores(options: ScoresOptions): Promise<ScoresCompared> {
  const one = await scoresOf({ ...options, gateways: 1 }, false);
  const several = await scoresOf(options, true);
  const result: ScoresCompared = {
    ...{ judged: 0, missing: 0, again: 0 },
    through: { sources: 0, equal: 0 },
    killed: { sources: 0, equal: 0, equalBefore: 0 },
  };
  const killedLines = new Set(linesOf(options.gateways - 1, options.gateways));
  for (const [source, expected] of one.bySource) {
    const found = several.bySource.get(source) ?? [];
    const { missing, again } = align(expected, found);
    result.judged += expected.length;
    result.missing += missing;
    result.again += again;
    const same = (count: number): boolean =>
      expected.slice(0, count).every(({ key, score }, at) => {
        const other = found.at(at);
        return other?.key === key && other.score === score;
      });
    const equal = found.length === expected.length && same(expected.length);
    if (killedLines.has(Number(/^line(\d+)/.exec(source)?.[1]) - 1)) {
      result.killed.sources++;
      result.killed.equal += equal ? 1 : 0;
      result.killed.equalBefore += same(several.before.get(source) ?? 0) ? 1 : 0;
    } else {
      result.through.sources++;
      result.through.equal += equal ? 1 : 0;
    }
  }
  return result;
}

async function scoresOf(
  { machines, rounds, seed, gateways }: ScoresOptions,
  kill: boolean,
): Promise<{ bySource: Map<string, Scored[]>; before: Map<string, number> }> {
  const scoresFolder = mkdtempSync(join(tmpdir(), 'factory-scores-'));
  const options: SiteOptions = {
    ...{ machines, seed, gateways, scoresFolder },
    ...{ waveQos: 1, kept: 0, lockstep: true },
  };
  const site = await Site.start(options);
  const total = machines * rounds;
  site.limit({ rates: { telemetry: AHEAD, waves: AHEAD }, seconds: 1 });
  site.order({ kind: 'break', seconds: rounds, perSecond: machines * INCIDENTS_PER_MACHINE });
  site.order({ kind: 'send', rates: { telemetry: 0, waves: 0 }, until: { telemetry: total, waves: total } });
  const before = new Map<string, number>();
  if (kill) {
    await site.until(() => site.count.handled.waves >= total / 2, 'half of the messages', 300_000);
    await site.kill(gateways - 1);
    for (const [source, scored] of read(scoresFolder)) {
      before.set(source, scored.length);
    }
    await new Promise((resolve) => setTimeout(resolve, DOWN_MS));
    await site.restart(gateways - 1);
  }
  await site.until(() => site.sent.waves >= total, 'all messages to be sent', 300_000);
  await settled(
    site,
    () => !kill && site.count.handled.waves >= total && site.count.handled.telemetry >= total,
  );
  await site.stop();
  const bySource = read(scoresFolder);
  rmSync(scoresFolder, { recursive: true });
  return { bySource, before };
}

function read(folder: string): Map<string, Scored[]> {
  const bySource = new Map<string, Scored[]>();
  for (const file of readdirSync(folder)) {
    for (const line of readFileSync(join(folder, file), 'utf8').split('\n').slice(0, -1)) {
      const [source, key, score] = line.split('\t');
      const list = bySource.get(source);
      if (list) {
        list.push({ key, score });
      } else {
        bySource.set(source, [{ key, score }]);
      }
    }
  }
  return bySource;
}

/** How many of the expected readings do not come, in their order, and how many come besides. */
function align(expected: readonly Scored[], found: readonly Scored[]): { missing: number; again: number } {
  let at = 0;
  let met = 0;
  for (const { key } of expected) {
    const next = found.findIndex((other, index) => index >= at && other.key === key);
    if (next >= 0) {
      at = next + 1;
      met++;
    }
  }
  return { missing: expected.length - met, again: found.length - met };
}
