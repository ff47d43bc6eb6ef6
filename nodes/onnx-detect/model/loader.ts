import type { SharedSessions } from '../runtime/shared-sessions';
import type { ModelFolders } from './locate';
import { readModel, type ModelFile } from './model-file';
import { serveModel, type ModelLoader, type ServingOptions } from './served-model';

/** Tries a model where it can do no harm; throws why it cannot be served. */
export type Trial = (file: ModelFile, options: ServingOptions) => Promise<void>;

/** Models that have passed their trial, by digest and providers; for as long as the process lives. */
export class Proven {
  private readonly passed = new Map<string, Promise<void>>();

  constructor(private readonly trial: Trial) {}

  /** Tries a model once, however many nodes ask at a time. */
  async check(file: ModelFile, options: ServingOptions): Promise<void> {
    const key = JSON.stringify([file.digest, options]);
    let passing = this.passed.get(key);
    if (!passing) {
      passing = this.trial(file, options);
      this.passed.set(key, passing);
      passing.catch(() => this.passed.delete(key));
    }
    await passing;
  }
}

/** Loads models from the given folders: read and verify, try in a process of its own, load, plan, try. */
export function modelLoader(
  folders: ModelFolders,
  sessions: SharedSessions,
  proven: Proven,
  options: ServingOptions,
): ModelLoader {
  return async (request) => {
    const file = await readModel(request, folders);
    if (!file.isBuiltin) {
      await proven.check(file, options);
    }
    return serveModel(
      file,
      ({ digest, bytes }, providers) => sessions.acquire(digest, providers, bytes),
      options,
    );
  };
}
