import type { NodeAPI } from 'node-red';
import { answerWith } from '../../shared/dialog/answer';
import { failureOf, type Failure } from '../../shared/dialog/failure';
import { filledProperties } from '../../shared/dialog/variables';
import { parseOnnxDetectConfig, type OnnxDetectConfig } from '../config';
import type { ModelFolders } from '../model/locate';
import { Inspector } from './inspector';
import { listModels } from './list';
import { parseInspectRequest } from './request';
import type { Inspection, TrialAnswer } from './result';

/**
 * `GET /edge/onnx-detect/models`: the models that can be chosen. `POST /edge/onnx-detect/inspect`: what the model of the
 * properties in the body is. `POST /edge/onnx-detect/try`: what the node would say of the sample in the body.
 *
 * @param module name of the runtime's package
 */
export function registerInspection(RED: NodeAPI, folders: ModelFolders, module: string): void {
  const inspector = new Inspector(folders, module);
  // They read files and use the processor.
  const permission = RED.auth.needsPermission('flows.write');
  RED.httpAdmin.get('/edge/onnx-detect/models', permission, (_request, response) => {
    answerWith(response, async () => ({ models: await listModels(folders) }));
  });
  RED.httpAdmin.post('/edge/onnx-detect/inspect', permission, (request, response) => {
    answerWith(response, async (): Promise<Inspection> => {
      const asked = parseInspectRequest(request.body);
      return withConfig(filledProperties(RED, asked), (config) => inspector.inspect(config));
    });
  });
  RED.httpAdmin.post('/edge/onnx-detect/try', permission, (request, response) => {
    answerWith(response, async (): Promise<TrialAnswer> => {
      const asked = parseInspectRequest(request.body);
      return withConfig(filledProperties(RED, asked), (config) =>
        inspector.try({ ...config, name: config.name || asked.node }, asked.sample),
      );
    });
  });
}

/** Properties that the node would refuse at its start are an answer as well. */
async function withConfig<T>(
  properties: unknown,
  work: (config: OnnxDetectConfig) => Promise<T>,
): Promise<T | { failure: Failure }> {
  let config: OnnxDetectConfig;
  try {
    config = parseOnnxDetectConfig(properties);
  } catch (thrown) {
    return { failure: failureOf(thrown) };
  }
  return work(config);
}
