import { join } from 'node:path';
import type { NodeAPI } from 'node-red';
import { rowsOf, sendVerdicts } from '../shared/detection/rows';
import { registerEdgeNode } from '../shared/edge-node';
import { EdgeError, toEdgeError } from '../shared/errors';
import { parseModelOperation, parseOnnxDetectConfig } from './config';
import { Detector } from './detector';
import { ModelKeeper } from './model-keeper';
import { modelLoader } from './model/served-model';
import { SharedSessions } from './runtime/shared-sessions';
import { WorkerBackend } from './runtime/worker-backend';
import { DetectorStatus } from './status';

export = function (RED: NodeAPI): void {
  const sessions = new SharedSessions(new WorkerBackend());
  const folders = {
    userDir: RED.settings.userDir ?? process.cwd(),
    builtin: join(__dirname, '..', '..', '..', 'models'),
  };

  registerEdgeNode(RED, {
    type: 'onnx-detect',
    parse: parseOnnxDetectConfig,
    start(config, { name, clock, figures, status, log }) {
      const shown = new DetectorStatus(clock, status);
      const detector = new Detector({ ...config, node: name }, clock, (seconds) =>
        figures.observe('edge_inference_seconds', seconds),
      );
      const keeper = new ModelKeeper(detector, modelLoader(folders, sessions, config.serving), clock, {
        loading: (model) => shown.loading(model),
        ready: (model) => {
          shown.ready(model.identity.name, model.provider);
          const { task, output, threshold } = model.scorer;
          log.info(
            `Model ${model.identity.name} ${model.identity.version} (SHA-256 ${model.identity.digest}) serves on ${model.provider}: ${task} by output "${output}", threshold ${threshold}`,
          );
        },
        failed: (error) => {
          shown.failed(error);
          log.error(error.message);
        },
      });
      keeper.start(config.request);
      return {
        async input(msg, emit) {
          if (msg.operation === 'maintenance') {
            detector.maintenance.apply(typeof msg.topic === 'string' ? msg.topic : '', msg.payload);
            return;
          }
          if (msg.operation === 'model') {
            await keeper.swap(parseModelOperation(msg.payload));
            return;
          }
          if (msg.operation !== undefined && msg.operation !== '') {
            throw new EdgeError(
              'OPERATION',
              'msg.operation must be "maintenance" or "model"; a reading has none. Delete msg.operation in front of this node.',
            );
          }
          let rows = 1;
          try {
            const set = rowsOf(msg, clock.now());
            rows = set.rows.length;
            const verdicts = await detector.submit(set);
            figures.add('edge_readings_total', rows);
            for (const { detection } of verdicts) {
              if (detection.kind) {
                figures.addLabelled('edge_detections_total', 'kind', detection.kind);
              }
            }
            shown.judged(verdicts);
            sendVerdicts(msg, set, verdicts, emit);
          } catch (thrown) {
            const error = toEdgeError(thrown);
            figures.addLabelled('edge_rejected_total', 'code', error.code, rows);
            shown.refused(error);
            throw error;
          }
        },
        async close() {
          shown.close();
          await keeper.close();
        },
      };
    },
  });
};
