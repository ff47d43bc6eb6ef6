import type { NodeAPI } from 'node-red';
import { raiseAlert } from '../shared/alerts';
import type { Timer } from '../shared/clock';
import { MaintenanceMode, type MaintainedNode } from '../shared/detection/maintenance';
import { registerEdgeNode } from '../shared/edge-node';
import type { StatusReporter } from '../shared/status';
import { forgetGone, leaveBehind, takeOver } from '../shared/handover';
import { openStateStore } from '../shared/store/state-store';
import { parseIsoForestConfig, thresholdMode } from './config';
import { ForestRuntime, type ForestOverview } from './forest-runtime';
import { registerLiveView, type ScoringNode } from './live/endpoints';
import { scaleOf, ScoreLog } from './live/score-log';

const TYPE = 'iso-forest';
const STATUS_EVERY_MS = 1000;
const NUMBERS = { auto: 'alarmRate', contamination: 'contamination', score: 'scoreThreshold' } as const;

/** What an instance leaves for the one that replaces it in a deployment. */
interface Left {
  scores: ScoreLog;
  maintenance: MaintenanceMode;
}

export = function (RED: NodeAPI): void {
  RED.events.on('flows:started', () => forgetGone((id) => Boolean(RED.nodes.getNode(id))));
  registerEdgeNode(RED, {
    type: TYPE,
    // A number that the threshold is not set by would be taken and change nothing.
    adjustable: (definition) => [NUMBERS[thresholdMode(definition)], 'votes', 'voteWindow', 'holdOff'],
    parse: parseIsoForestConfig,
    start(config, { id, name, clock, figures, gateway, status, log }) {
      const earlier = takeOver(TYPE, id) as Left | undefined;
      const scale = scaleOf(config);
      const scores =
        earlier?.scores.scale === scale ? earlier.scores : new ScoreLog(() => clock.monotonic(), scale);
      const maintenance = earlier?.maintenance ?? new MaintenanceMode();
      const runtime = new ForestRuntime({
        id,
        name,
        config,
        clock,
        figures,
        log,
        scores,
        maintenance,
        flagged: (detection) => raiseAlert(id, detection, clock.now()),
        ...(config.persist && { store: openStateStore(gateway.dataDir) }),
      });
      const expose: ScoringNode & MaintainedNode = {
        live: runtime.live,
        maintenance,
        heardSources: (most) => runtime.heardSources(most),
      };
      let timer: Timer;
      const show = (): void => {
        showOverview(status, runtime.overview());
        timer = clock.after(STATUS_EVERY_MS, show);
      };
      show();
      return {
        input: (msg, emit) => runtime.input(msg, emit),
        expose,
        details: () => maintenance.report(clock.now()),
        adjust: (other) => runtime.retune(other),
        close: async (removed) => {
          timer.cancel();
          await runtime.close(removed);
          if (!removed) {
            leaveBehind(TYPE, id, { scores, maintenance } satisfies Left);
          }
        },
      };
    },
  });
  registerLiveView(RED);
};

function showOverview(status: StatusReporter, overview: ForestOverview): void {
  const { sources, learning, anomaly, suppressed, storeFailed } = overview;
  if (storeFailed) {
    status.set('warning', 'status.store');
  } else if (suppressed) {
    status.set('idle', 'status.suppressed');
  } else if (sources === 0) {
    status.set('idle', 'status.waiting');
  } else if (anomaly) {
    status.set('warning', 'status.anomaly', { sources });
  } else if (learning > 0) {
    status.set('busy', 'status.learning', { learning, sources });
  } else {
    status.set('ok', 'status.operational', { sources });
  }
}
