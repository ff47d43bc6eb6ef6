import type { NodeAPI } from 'node-red';
import type { Timer } from '../shared/clock';
import { registerEdgeNode } from '../shared/edge-node';
import type { StatusReporter } from '../shared/status';
import { openStateStore } from '../shared/store/state-store';
import { parseIsoForestConfig } from './config';
import { ForestRuntime, type ForestOverview } from './forest-runtime';
import { registerLiveView } from './live/endpoints';

const STATUS_EVERY_MS = 1000;

export = function (RED: NodeAPI): void {
  registerEdgeNode(RED, {
    type: 'iso-forest',
    parse: parseIsoForestConfig,
    start(config, { id, name, clock, figures, gateway, status, log }) {
      const runtime = new ForestRuntime({
        id,
        name,
        config,
        clock,
        figures,
        log,
        ...(config.persist && { store: openStateStore(gateway.dataDir) }),
      });
      let timer: Timer;
      const show = (): void => {
        showOverview(status, runtime.overview());
        timer = clock.after(STATUS_EVERY_MS, show);
      };
      show();
      return {
        input: (msg, emit) => runtime.input(msg, emit),
        expose: { live: runtime.live },
        close: async (removed) => {
          timer.cancel();
          await runtime.close(removed);
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
