import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { failureOf, type Failure } from '../../shared/dialog/failure';
import { EdgeError, toEdgeError } from '../../shared/errors';
import { OneAtATime } from '../../shared/one-at-a-time';
import type { ProcessClient } from '../../shared/worker/process-client';
import type { OnnxDetectConfig } from '../config';
import { locateModel, type ModelFolders } from '../model/locate';
import { inTrialProcess, TRIAL_LIMITS, type TrialLimits } from '../runtime/trial-process';
import type { InspectMethods } from './inspect-process';
import type { Inspection, TrialAnswer } from './result';

/** A person waits for it. */
export const INSPECTION_LIMITS: TrialLimits = { ...TRIAL_LIMITS, timeMs: 30_000 };

/** Looks at the models of dialogs, one at a time, each in a process that ends with it. */
export class Inspector {
  private readonly line = new OneAtATime();

  /** @param module name of the runtime's package */
  constructor(
    private readonly folders: ModelFolders,
    private readonly module: string,
    private readonly limits: TrialLimits = INSPECTION_LIMITS,
  ) {}

  /**
   * What the model is and how the node would use it, or why it would not.
   * @throws EdgeError `MODEL_NOT_FOUND`, `BUSY`, `TIMEOUT`
   */
  async inspect({ request, serving }: OnnxDetectConfig): Promise<Inspection> {
    const { folders, module } = this;
    return this.inProcess(request.model, (client) =>
      client.call('inspect', { folders, module, request, serving }),
    );
  }

  /**
   * The detection that the node would send for a reading, or why it would not.
   *
   * @param sample JSON of the reading; undefined = the model card's, or zeros
   * @throws EdgeError `MODEL_NOT_FOUND`, `BUSY`, `TIMEOUT`
   */
  async try(
    { name, request, serving, missing }: OnnxDetectConfig,
    sample: string | undefined,
  ): Promise<TrialAnswer> {
    const { folders, module } = this;
    const call = { folders, module, request, serving, node: name, missing, sample };
    return this.inProcess(request.model, (client) => client.call('try', call));
  }

  private async inProcess<T>(
    model: string,
    work: (client: ProcessClient<InspectMethods>) => Promise<T>,
  ): Promise<T | { failure: Failure }> {
    // Looked for before it has its turn, as a slip of the pen need not wait.
    const path = await locateModel(model, this.folders, true);
    const { size } = await stat(path);
    const trial = {
      script: join(__dirname, 'inspect-process.js'),
      modelBytes: size,
      limits: this.limits,
      late: () => this.late(),
    };
    try {
      return await this.line.run(() => inTrialProcess<InspectMethods, T>(trial, work));
    } catch (thrown) {
      const error = toEdgeError(thrown);
      if (error.code === 'BUSY' || error.code === 'TIMEOUT') {
        throw error;
      }
      return { failure: failureOf(error) };
    }
  }

  private late(): EdgeError {
    return new EdgeError(
      'TIMEOUT',
      `The model did not load and answer within ${this.limits.timeMs / 1000} s and was stopped. Use a smaller model, or a faster machine.`,
    );
  }
}
