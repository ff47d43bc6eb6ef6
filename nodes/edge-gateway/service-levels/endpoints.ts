import type { NodeAPI } from 'node-red';
import { systemClock, type Timer } from '../../shared/clock';
import { answerWith } from '../../shared/dialog/answer';
import { defaultDataDir } from '../../shared/gateway';
import { noteLevels, stateOf } from '../../shared/service-levels';
import { listStation } from '../../shared/station';
import { LevelJudge } from './judge';
import { keepLimits, parseLimits, readLimits } from './limits';

const EVERY_MS = 5000;

/**
 * Watches the service levels of this runtime, as long as one has a limit. `POST /edge/service-levels` sets the limits
 * `{latency, delivery, silence}`, which are stored in the data folder; `GET` answers them.
 */
export function registerServiceLevels(RED: NodeAPI): void {
  const folder = defaultDataDir(RED);
  const judge = new LevelJudge(systemClock);
  let limits = readLimits(folder);
  let timer: Timer | undefined;
  const look = (): void => {
    const nodes = listStation().map(({ id, type, figures }) => ({ id, type, figures: figures.snapshot() }));
    noteLevels(judge.look(limits, nodes));
  };
  const watch = (): void => {
    timer?.cancel();
    timer = undefined;
    if (Object.values(limits).some((limit) => limit > 0)) {
      look();
      timer = systemClock.after(EVERY_MS, watch);
    } else {
      noteLevels(stateOf(limits));
    }
  };
  watch();

  RED.httpAdmin.get('/edge/service-levels', RED.auth.needsPermission('edge.read'), (_request, response) => {
    response.json(limits);
  });
  const mayChange = RED.auth.needsPermission('flows.write');
  RED.httpAdmin.post('/edge/service-levels', mayChange, (request, response) => {
    answerWith(response, async () => {
      const entered = parseLimits(request.body);
      await keepLimits(folder, entered);
      limits = entered;
      watch();
      return limits;
    });
  });
}
