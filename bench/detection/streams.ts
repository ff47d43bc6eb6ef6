import { AlarmGate } from '../../nodes/shared/detection/alarm';
import { parseIsoForestConfig } from '../../nodes/iso-forest/config';
import { RowBuilder } from '../../nodes/iso-forest/row-builder';
import { modelOf } from '../forest-model';
import { ranking, type Ranking } from './ranking';
import type { Stream } from './sets';

/** What a node made of one stream. */
export interface StreamFindings extends Ranking {
  /** Windows in which something was flagged. */
  hit: number;
  windows: number;
  /** Runs of flagged readings outside the windows, by 1,000 readings; see {@link EPISODE_GAP}. */
  falseEpisodes: number;
  regimes: number;
}

/** Flagged readings that are at most so many apart are one episode, as a hold-off makes them. */
export const EPISODE_GAP = 12;

/**
 * Sends a stream through the core of an `iso-forest` node: each reading is scored before it is learned.
 *
 * @param properties of the node
 * @param from the first reading that counts; before it there is nothing to rank
 * @param phase readings to leave out at the start, so that trees are grown at other places of the stream
 */
export function followStream(
  stream: Stream,
  properties: Record<string, unknown>,
  from: number,
  phase: number,
): StreamFindings {
  const config = parseIsoForestConfig(properties);
  const channels = stream.rows[0].map((_, channel) => `c${channel}`);
  const builder = new RowBuilder(channels.length, config.row);
  const gate = new AlarmGate(stream.name, config.alarm);
  const model = modelOf(channels, config);
  const scores: number[] = [];
  const anomalous: number[] = [];
  const flagged: number[] = [];
  let regimes = 0;
  for (let at = phase; at < stream.rows.length; at++) {
    const row = builder.next(Float64Array.from(stream.rows[at]));
    const score = row ? model.score(row) : null;
    const { detected } = gate.judge(score !== null && model.exceeds(score), stream.times[at]);
    if (at >= from) {
      scores.push(score ?? 0);
      anomalous.push(stream.anomalous[at]);
      if (detected) {
        flagged.push(at);
      }
    }
    regimes += row && model.take(row, score) ? 1 : 0;
  }
  return { ...ranking(scores, anomalous), ...alerts(stream, flagged, from), regimes };
}

function alerts(
  { anomalous, rows }: Stream,
  flagged: readonly number[],
  from: number,
): Pick<StreamFindings, 'hit' | 'windows' | 'falseEpisodes'> {
  const starts = [...anomalous.keys()].filter((at) => at >= from && anomalous[at] && !anomalous[at - 1]);
  const hits = new Set<number | undefined>();
  let episodes = 0;
  let last = -Infinity;
  for (const at of flagged) {
    if (anomalous[at]) {
      hits.add(starts.findLast((start) => start <= at));
    } else if (at - last > EPISODE_GAP) {
      episodes++;
    }
    last = at;
  }
  return { hit: hits.size, windows: starts.length, falseEpisodes: (1000 * episodes) / (rows.length - from) };
}
