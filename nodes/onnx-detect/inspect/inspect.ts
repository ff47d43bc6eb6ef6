import { failureOf } from '../../shared/dialog/failure';
import { isRecord } from '../../shared/dialog/request';
import { toEdgeError, type EdgeError } from '../../shared/errors';
import type { ModelFolders } from '../model/locate';
import { readCardText, readModel, type ModelFile, type ModelRequest } from '../model/model-file';
import { readOnnxFile, type OnnxFile } from '../model/onnx-file';
import { serveModel, type ServingOptions } from '../model/served-model';
import { fitted } from './bounds';
import { describeModel, type Known } from './describe';
import type { Inspection } from './result';
import { sessionsHere } from './session';

/** Which model to look at, and how the node would serve it. */
export interface InspectCall {
  folders: ModelFolders;
  request: ModelRequest;
  serving: ServingOptions;
  /** Name of the runtime's package. */
  module: string;
}

/** Looks at a model as the node would at its start; runs in a process of its own. */
export async function inspectModel({ folders, request, serving, module }: InspectCall): Promise<Inspection> {
  let failure: EdgeError | undefined;
  let file: ModelFile;
  try {
    file = await readModel(request, folders).catch((thrown: unknown) => {
      failure = toEdgeError(thrown);
      if (failure.code !== 'MODEL_DIGEST') {
        throw failure;
      }
      // Another file than the pinned one is described all the same: whoever put it there wants to pin it.
      return readModel({ ...request, digest: '' }, folders);
    });
  } catch (thrown) {
    return { failure: failureOf(thrown) };
  }
  const known: Known = {
    file,
    options: serving,
    card: await writtenCard(file),
    outline: outlineOf(file),
  };
  try {
    known.served = await serveModel(
      file,
      sessionsHere(module, (info) => (known.info = info)),
      serving,
    );
  } catch (thrown) {
    failure ??= toEdgeError(thrown);
  }
  return fitted({ model: describeModel(known), ...(failure && { failure: failureOf(failure) }) });
}

function outlineOf({ bytes }: ModelFile): OnnxFile | undefined {
  try {
    return readOnnxFile(bytes);
  } catch {
    // It is refused for the same reason when it is loaded.
    return undefined;
  }
}

/** The card with all that the node itself has no use for. */
async function writtenCard({ path, card }: ModelFile): Promise<Record<string, unknown> | undefined> {
  const found = card && (await readCardText(path));
  const json: unknown = found && JSON.parse(found.text);
  return isRecord(json) ? json : undefined;
}
