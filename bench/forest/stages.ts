import { parseIsoForestConfig } from '../../nodes/iso-forest/config';
import type { ForestModel } from '../../nodes/iso-forest/forest-model';
import { Growers } from '../../nodes/iso-forest/forest/variant';
import { modelOf } from '../forest-model';
import { machineRows, WIDTH } from './contest';

/** What one source costs in the core alone, µs a reading, and what it holds. */
export interface Stage {
  readings: string;
  score: number;
  grow: number;
  /** Trees grown by 100 readings. */
  trees: number;
  bytes: number;
}

/** Trees that these models ever grew. */
const trees = (models: readonly ForestModel[]): number => models.reduce((sum, model) => sum + model.trees, 0);

const PHASES = [100, 1000, 1600, 2000, 4000];

/** The stages of a source with the node's defaults: scoring, and growing trees, by phase; without Node-RED. */
export function measureStages(sources: number): Stage[] {
  const config = parseIsoForestConfig({});
  const rows = machineRows().map((row) => Float32Array.from(row));
  let growMs = 0;
  const growers = new Growers(config.model.variant, config.model.sample);
  const channels = Array.from({ length: WIDTH }, (_, at) => `c${at}`);
  const models = Array.from({ length: sources }, (_, at) =>
    modelOf(channels, config, growers, `machine-${at}`),
  );
  for (const model of models) {
    const growNext = model.growNext.bind(model);
    model.growNext = () => {
      const began = performance.now();
      const grew = growNext();
      growMs += grew ? performance.now() - began : 0;
      return grew;
    };
  }
  let reading = 0;
  return PHASES.map((until) => {
    const from = reading;
    growMs = 0;
    const before = trees(models);
    let scoreMs = 0;
    for (; reading < until; reading++) {
      models.forEach((model, at) => {
        const row = rows[(reading * 7 + at * 131) % rows.length];
        const started = performance.now();
        const score = model.score(row);
        scoreMs += performance.now() - started;
        model.take(row, score);
      });
    }
    const total = (until - from) * sources;
    return {
      readings: `${from + 1}–${until}`,
      score: (1000 * scoreMs) / total,
      grow: (1000 * growMs) / total,
      trees: (100 * (trees(models) - before)) / total,
      bytes: Math.max(...models.map(({ bytes }) => bytes)),
    };
  });
}
