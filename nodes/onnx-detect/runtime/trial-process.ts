import { totalmem } from 'node:os';
import { join } from 'node:path';
import { EdgeError, toEdgeError } from '../../shared/errors';
import { ProcessClient, type ProcessEnd } from '../../shared/worker/process-client';
import type { WorkerMethods } from '../../shared/worker/protocol';
import type { ModelFile } from '../model/model-file';
import { serveModel, type ServingOptions } from '../model/served-model';
import type { InferenceSession } from './backend';
import type { TrialMethods } from './onnx-process';

const MIB = 1024 * 1024;

export interface TrialLimits {
  /** Memory that a process may take besides a few times the model's size, in bytes. */
  memory: number;
  /** Time for loading and all runs, ms. */
  timeMs: number;
}

export const TRIAL_LIMITS: TrialLimits = { memory: 1024 * MIB, timeMs: 60_000 };

/** A process in which a model is tried. */
export interface TrialProcess {
  /** Absolute path of its compiled script. */
  script: string;
  modelBytes: number;
  limits: TrialLimits;
  /** The error of work that takes longer than it may. */
  late: () => EdgeError;
}

/**
 * Loads a model nobody knows yet and runs it, in a process of its own: what a broken or hostile file does to it, it does
 * to nothing else.
 *
 * @param module name of the runtime's package
 * @throws EdgeError whatever `serveModel` throws; `MODEL_INVALID` when the process crashes, or takes more time or memory
 *   than it may
 */
export async function tryInProcess(
  file: ModelFile,
  options: ServingOptions,
  module: string,
  limits: TrialLimits = TRIAL_LIMITS,
): Promise<void> {
  const trial: TrialProcess = {
    script: join(__dirname, 'onnx-process.js'),
    modelBytes: file.bytes.length,
    limits,
    late: () =>
      refused(
        `it did not load and answer within ${limits.timeMs / 1000} s. Use a smaller model, or a faster machine.`,
      ),
  };
  await inTrialProcess<TrialMethods, unknown>(trial, (client) => {
    const sessionOf = async (): Promise<InferenceSession> => ({
      info: await client.call('load', {
        module,
        path: file.path,
        digest: file.digest,
        providers: options.providers,
      }),
      run: (feeds) => client.call('run', feeds),
      onLost: () => undefined,
      release: () => Promise.resolve(),
    });
    return serveModel(file, sessionOf, options);
  });
}

/**
 * Has a model tried in a process of its own, which ends with the work.
 *
 * @throws EdgeError whatever the work throws; `MODEL_INVALID` when the process crashes or takes more memory than it may
 */
export async function inTrialProcess<M extends WorkerMethods, T>(
  { script, modelBytes, limits, late }: TrialProcess,
  work: (client: ProcessClient<M>) => Promise<T>,
): Promise<T> {
  const memoryLimit = Math.min(limits.memory + 4 * modelBytes, 0.8 * totalmem());
  const client = new ProcessClient<M>(script, { name: 'trial of a model', memoryLimit });
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), limits.timeMs);
  });
  try {
    return await Promise.race([work(client), overdue]);
  } catch (thrown) {
    throw client.ended ? explain(client.ended, memoryLimit) : toEdgeError(thrown);
  } finally {
    clearTimeout(timer);
    client.kill();
  }
}

function explain({ kind, text }: ProcessEnd, memoryLimit: number): EdgeError {
  switch (kind) {
    case 'memory':
      return refused(
        `it takes more memory than the ${Math.round(memoryLimit / MIB)} MB that a model of its size may. Use a smaller model, or export it again.`,
      );
    case 'signal':
      return refused(
        `it crashes the ONNX runtime (${text}). The file is broken, or made for another version: export it again.`,
      );
    case 'exit':
      return refused(
        `the process in which it was tried ended (${text}). Look into the log, and deploy again.`,
      );
  }
}

function refused(why: string): EdgeError {
  return new EdgeError('MODEL_INVALID', `The model was tried in a process of its own, and refused: ${why}`, {
    property: 'model',
  });
}
