import { join } from 'node:path';
import type { NodeAPI } from 'node-red';
import { raiseAlert } from '../shared/alerts';
import { MaintenanceMode, type MaintainedNode } from '../shared/detection/maintenance';
import { rowsOf, sendVerdicts } from '../shared/detection/rows';
import { registerEdgeNode } from '../shared/edge-node';
import { EdgeError, toEdgeError } from '../shared/errors';
import type { Figures } from '../shared/figures';
import { forgetGone, leaveBehind, takeOver } from '../shared/handover';
import type { Detection } from '../shared/messages';
import { Adjuster } from './adjust';
import { parseModelOperation, parseOnnxDetectConfig } from './config';
import { Detector } from './detector';
import { registerInspection } from './inspect/endpoints';
import { ModelKeeper } from './model-keeper';
import { modelLoader, Proven } from './model/loader';
import type { ServedModel } from './model/served-model';
import { SharedSessions } from './runtime/shared-sessions';
import { tryInProcess } from './runtime/trial-process';
import { WorkerBackend } from './runtime/worker-backend';
import { Shadow } from './shadow';
import { DetectorStatus } from './status';

const TYPE = 'onnx-detect';
const RUNTIME = 'onnxruntime-node';

export = function (RED: NodeAPI): void {
  const sessions = new SharedSessions(new WorkerBackend());
  const proven = new Proven((file, options) => tryInProcess(file, options, RUNTIME));
  const folders = {
    userDir: RED.settings.userDir ?? process.cwd(),
    builtin: join(__dirname, '..', '..', '..', 'models'),
  };
  registerInspection(RED, folders, RUNTIME);
  RED.events.on('flows:started', () => forgetGone((id) => Boolean(RED.nodes.getNode(id))));

  registerEdgeNode(RED, {
    type: TYPE,
    adjustable: () => ['threshold', 'votes', 'voteWindow', 'holdOff', 'model', 'digest', 'shadow'],
    parse: parseOnnxDetectConfig,
    start(config, { id, name, clock, figures, status, log }) {
      const shown = new DetectorStatus(clock, status);
      const earlier = takeOver(TYPE, id);
      const maintenance = earlier instanceof MaintenanceMode ? earlier : new MaintenanceMode();
      const inferred = (seconds: number): void => figures.observe('edge_inference_seconds', seconds);
      const detector = new Detector({ ...config, node: name }, clock, inferred, maintenance);
      const expose: MaintainedNode = {
        maintenance,
        heardSources: (most) => detector.heardSources(most),
      };
      const keeper = new ModelKeeper(
        detector,
        modelLoader(folders, sessions, proven, config.serving),
        clock,
        {
          loading: (model) => shown.loading(model),
          ready: (model) => {
            shown.ready(model.identity.name, model.provider);
            const { task, output, threshold } = model.scorer;
            log.info(
              `${described(model)} serves on ${model.provider}: ${task} by output "${output}", threshold ${threshold}`,
            );
          },
          failed: (error) => {
            shown.failed(error);
            log.error(error.message);
          },
          shadowed: (model) => {
            shown.shadowed(model?.identity.name);
            log.info(
              model
                ? `${described(model)} looks on as a candidate and decides nothing`
                : 'No candidate looks on any more',
            );
          },
          shadowFailed: (error) => {
            shown.shadowed(undefined);
            log.warn(`The candidate does not look on: ${error.message}`);
          },
        },
        (model) => new Shadow(model, config.missing, clock),
      );
      keeper.start(config.request, config.shadow);
      const adjuster = new Adjuster(config, keeper);
      return {
        async input(msg, emit) {
          if (msg.operation === 'maintenance') {
            maintenance.apply(typeof msg.topic === 'string' ? msg.topic : '', msg.payload, clock.now());
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
              count(detection, figures);
              if (detection.kind) {
                raiseAlert(id, detection, clock.now());
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
        expose,
        details: () => maintenance.report(clock.now()),
        adjust: (other) => adjuster.adjust(other),
        async close(removed) {
          shown.close();
          if (!removed) {
            leaveBehind(TYPE, id, maintenance);
          }
          await keeper.close();
        },
      };
    },
  });
};

function described({ identity: { name, version, digest } }: ServedModel): string {
  return `Model ${name} ${version} (SHA-256 ${digest})`;
}

function count({ kind, score, shadow }: Detection, figures: Figures): void {
  if (kind) {
    figures.addLabelled('edge_detections_total', 'kind', kind);
  }
  if (shadow) {
    figures.addLabelled('edge_shadow_readings_total', 'agrees', String(shadow.agrees));
    figures.add('edge_shadow_score_difference_sum', Math.abs(shadow.score - (score ?? 0)));
  }
}
