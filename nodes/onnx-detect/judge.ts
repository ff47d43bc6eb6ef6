import type { Clock } from '../shared/clock';
import type { MaintenanceMode } from '../shared/detection/maintenance';
import type { Row, Verdict } from '../shared/detection/rows';
import { EdgeError } from '../shared/errors';
import type { Detection } from '../shared/messages';
import type { ServedModel } from './model/served-model';
import { expectForm, plainRow, type Plain } from './score/output-view';
import type { RowScore, Run } from './score/parts';
import type { Sources } from './sources';

/** A row's score with everything the model answered; undefined while a source's window is not complete. */
export interface ScoredRow {
  score: RowScore;
  outputs: Record<string, Plain>;
}

/** What a candidate says of a row. */
export interface ShadowScore {
  score: number;
  model: ServedModel;
}

/**
 * Reads one row out of a run; changes nothing.
 * @throws EdgeError `INFERENCE` when the model answers with no number, or in another shape than in its trial
 */
export function scoreRow(model: ServedModel, run: Run, row: number): ScoredRow {
  const rows = model.plan.fixedRows ?? run.rows.length;
  for (const form of model.scorer.forms) {
    expectForm(form, run.outputs[form.name], rows);
  }
  const score = model.scorer.score(run, row);
  if (!Number.isFinite(score.score)) {
    throw new EdgeError(
      'INFERENCE',
      `The model's output "${model.scorer.output}" is ${score.score} for this reading. Check the channels' ranges, or choose "reject" for "missing" if the model was not trained with gaps.`,
    );
  }
  return { score, outputs: plainRow(run.outputs, model.forms, row, rows) };
}

/** Turns scores into verdicts by votes, episodes and maintenance mode of each source. */
export class Judge {
  constructor(
    private readonly node: string,
    private readonly sources: Sources,
    private readonly maintenance: MaintenanceMode,
    private readonly clock: Clock,
  ) {}

  judge(
    model: ServedModel,
    row: Row,
    scored: ScoredRow | undefined,
    receivedAt: number,
    shadow?: ShadowScore,
  ): Verdict {
    // Also under maintenance a source is one that was heard.
    const gate = this.sources.gate(row.source);
    const isMaintained = this.maintenance.covers(row.source, this.clock.now());
    const found = scored
      ? { ...scored.score, threshold: model.scorer.threshold, outputs: scored.outputs }
      : { score: null, threshold: null };
    const detection: Detection = {
      detector: 'onnx-detect',
      node: this.node,
      status: isMaintained ? 'SUPPRESSED' : scored ? 'OPERATIONAL' : 'LEARNING',
      ...found,
      model: model.identity,
      source: row.source,
      ts: row.ts,
      latencyMs: Math.max(0, this.clock.monotonic() - receivedAt),
    };
    if (!scored) {
      return { output: 1, detection };
    }
    const exceeds = scored.score.score >= model.scorer.threshold;
    if (shadow) {
      detection.shadow = {
        score: shadow.score,
        agrees: shadow.score >= shadow.model.scorer.threshold === exceeds,
        model: shadow.model.identity,
      };
    }
    if (isMaintained) {
      return { output: 1, detection };
    }
    const { detected, announce, episode } = gate.judge(exceeds, row.ts);
    if (detected) {
      detection.status = 'MAINTENANCE_REQUIRED';
      detection.kind = 'KNOWN_FAILURE';
    }
    if (episode) {
      detection.episode = episode;
    }
    return { output: announce ? 0 : 1, detection };
  }
}
