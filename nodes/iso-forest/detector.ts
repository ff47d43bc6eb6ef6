import type { MaintenanceMode } from '../shared/detection/maintenance';
import type { Row, Verdict } from '../shared/detection/rows';
import type { Detection } from '../shared/messages';
import type { IsoForestConfig } from './config';
import { contributions } from './explain';
import type { CheckedRow, NamedForest, SourceTable, SourceTrack } from './source-table';

/** What the detector tells the node while it works. */
export interface DetectorEvents {
  /** A forest took a row in. */
  learned(forest: NamedForest): void;
  /** A source has been flagged for so long that it starts over. */
  regime(forest: NamedForest): void;
  flagged(): void;
  /** A reading got its verdict. It runs on every one. */
  judged(detection: Detection, track: SourceTrack): void;
}

/** Judges checked rows, one after the other; each is scored before it is learned. */
export class Detector {
  constructor(
    private readonly node: string,
    private readonly config: IsoForestConfig,
    private readonly table: SourceTable,
    private readonly maintenance: MaintenanceMode,
    private readonly events: DetectorEvents,
  ) {}

  /** @param now ms since the epoch, for the end of a maintenance */
  judge(checked: CheckedRow, now: number): Verdict {
    const { row: reading, values } = checked;
    const track = this.table.track(checked);
    const { model } = track.forest;
    const row = track.builder.next(values);
    const suppressed = this.maintenance.covers(reading.source, now);
    const score = row ? model.score(row) : null;
    const detection = this.detection(reading, score, score === null ? null : model.limit, model.digest);
    if (suppressed) {
      detection.status = 'SUPPRESSED';
      this.events.judged(detection, track);
      return { output: 1, detection };
    }
    let announce = false;
    if (score !== null) {
      const verdict = track.gate.judge(model.exceeds(score), reading.ts);
      announce = verdict.announce;
      detection.status = verdict.detected ? 'MAINTENANCE_REQUIRED' : 'OPERATIONAL';
      if (verdict.episode) {
        detection.episode = verdict.episode;
      }
      if (verdict.detected) {
        detection.kind = 'NOVEL_ANOMALY';
        this.events.flagged();
        if (this.config.explain && row) {
          const { channels } = model;
          const typical = model.typicalRow();
          detection.contributions = contributions({
            ...{ channels, row, values, typical },
            score: (trial) => model.scoreByFeature(trial),
            terms: model.terms(row),
          });
        }
      }
    }
    this.events.judged(detection, track);
    if (row && teaches(reading)) {
      if (model.take(row, score)) {
        detection.regime = 'new';
        announce = true;
        this.events.regime(track.forest);
      } else {
        this.events.learned(track.forest);
      }
    }
    return { output: announce ? 0 : 1, detection };
  }

  private detection(reading: Row, score: number | null, threshold: number | null, digest: string): Detection {
    return {
      detector: 'iso-forest',
      node: this.node,
      status: 'LEARNING',
      score,
      threshold,
      model: { name: 'iso-forest', version: this.config.model.variant, digest },
      source: reading.source,
      ts: reading.ts,
      latencyMs: 0,
    };
  }
}

/** Readings with a known failure, and doubtful ones, do not teach what is normal. */
function teaches({ reading, detections }: Row): boolean {
  if (reading?.quality === 'uncertain' || reading?.quality === 'bad') {
    return false;
  }
  for (const detection of detections) {
    if (detection.kind === 'KNOWN_FAILURE') {
      return false;
    }
  }
  return true;
}
