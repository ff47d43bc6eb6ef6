import { systemClock } from '../../shared/clock';
import type { Row } from '../../shared/detection/rows';
import { failureOf } from '../../shared/dialog/failure';
import { EdgeError } from '../../shared/errors';
import type { Detection } from '../../shared/messages';
import { Detector } from '../detector';
import { readModel } from '../model/model-file';
import type { MissingPolicy } from '../model/row-reader';
import { serveModel, type ServedModel } from '../model/served-model';
import type { WindowPlan } from '../model/window-plan';
import type { InspectCall } from './inspect';
import type { TrialAnswer } from './result';
import { sampleText } from './sample';
import { sessionsHere } from './session';
import { shownDetection } from './shown-detection';

/** A model and one reading for it. */
export interface TryCall extends InspectCall {
  /** The node's name, for the detection. */
  node: string;
  missing: MissingPolicy;
  /** JSON of the reading; undefined = the model card's, or zeros. */
  sample: string | undefined;
}

/** Judges one reading as the node would the first of a source; runs in a process of its own. */
export async function tryModel(call: TryCall): Promise<TrialAnswer> {
  const { folders, request, serving, module } = call;
  try {
    const file = await readModel(request, folders);
    const model = await serveModel(file, sessionsHere(module), serving);
    const text = call.sample ?? sampleText(file.card?.sample, model.plan);
    const { readings, given } = readingsOf(text, model.plan.window);
    const detection = await judge(model, readings, call);
    const { window } = model.plan;
    return {
      ...shownDetection(detection),
      ...(window && { window: { size: window.size, given } }),
      ...(call.sample === undefined && { sample: text }),
    };
  } catch (thrown) {
    return { failure: failureOf(thrown) };
  }
}

/** One reading; for a model that takes windows, a list of them, or one that stands for the whole window. */
function readingsOf(
  text: string | undefined,
  window: WindowPlan | undefined,
): { readings: unknown[]; given: number } {
  if (text === undefined) {
    throw new EdgeError('SAMPLE', 'The model takes too many values to make up a sample. Enter one.');
  }
  const sample = JSON.parse(text) as unknown;
  const isList = Array.isArray(sample) && typeof sample[0] === 'object' && sample[0] !== null;
  if (!isList) {
    return { readings: new Array<unknown>(window?.size ?? 1).fill(sample), given: 1 };
  }
  if (!window) {
    throw new EdgeError(
      'SAMPLE',
      'The sample is a list of readings, and the model takes one at a time. Enter one: an object of channels, or a list of numbers.',
    );
  }
  return { readings: sample.slice(-window.size), given: sample.length };
}

/** Without votes and episodes, which one reading says nothing about. */
async function judge(
  model: ServedModel,
  readings: readonly unknown[],
  { node, missing }: TryCall,
): Promise<Detection> {
  const detector = new Detector(
    {
      node,
      missing,
      batchSize: 1,
      batchDelayMs: 0,
      queueLimit: readings.length,
      overload: 'reject',
      alarm: { votes: 1, voteWindow: 1, holdOffMs: 0 },
    },
    systemClock,
  );
  await detector.serve(model);
  const ts = systemClock.now();
  const verdicts = await Promise.all(
    readings.map((payload) => {
      const row: Row = { payload, reading: undefined, detections: [], source: '', ts };
      return detector.submit({ batch: false, rows: [row] });
    }),
  );
  return verdicts[verdicts.length - 1][0].detection;
}
