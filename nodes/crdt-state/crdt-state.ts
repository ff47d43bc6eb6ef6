import type { NodeAPI } from 'node-red';
import { brokerOf } from '../shared/connections';
import { registerEdgeNode, type NodeContext } from '../shared/edge-node';
import { toEdgeError } from '../shared/errors';
import type { EdgeMessage } from '../shared/messages';
import { seldomReports } from '../shared/seldom';
import { parseCrdtStateConfig, type CrdtStateConfig } from './config';
import type { HostListener, KeyState } from './host';
import { registerStateView, type StateNode } from './live/endpoints';
import { viewState } from './live/state-view';
import { mqttTransport } from './mqtt-transport';
import { serveMessage, type StateMessage } from './message';
import { leaseReplica } from './registry';
import { showStatus } from './replica-status';
import { wireTransport, type Transport } from './transport';

const STATUS_INTERVAL_MS = 5000;

export = function (RED: NodeAPI): void {
  registerStateView(RED);
  registerEdgeNode<CrdtStateConfig>(RED, {
    type: 'crdt-state',
    credentials: { spaceKey: { type: 'password' } },
    parse: parseCrdtStateConfig,
    start(config, context) {
      const { gateway, clock, random, figures, status } = context;
      const { space, strategy, rules, flushMs, persist, transport } = config;
      const broker = transport === 'mqtt' ? brokerOf(RED, config.broker) : undefined;
      const lease = leaseReplica(
        gateway,
        { space, strategy, rules, flushMs, persist, spaceKey: context.credentials['spaceKey'] ?? '' },
        { clock, random },
      );
      const { shared } = lease;
      const { host } = shared;
      const report = throttledReport(context, space);
      const node = {};
      const listener: HostListener = {
        changed: (state, origin, operation, by) => {
          if (by !== node) {
            context.emit(0, changeMessage(RED, state, { origin, operation, pending: host.pending }));
          }
          refresh();
        },
        problem: report,
      };
      host.listeners.add(listener);
      figures.gauge('edge_state_keys', () => host.keys);
      figures.gauge('edge_state_pending', () => host.pending);
      figures.gauge('edge_state_conflicts_total', () => host.conflicts);
      const refresh = (): void => showStatus(status, host, broker !== undefined, clock.monotonic());
      status.set('busy', 'status.loading');
      let timer = clock.after(STATUS_INTERVAL_MS, function tick() {
        refresh();
        timer = clock.after(STATUS_INTERVAL_MS, tick);
      });

      let link: Transport | undefined;
      let closed = false;
      const connect = (): void => {
        if (closed) {
          return;
        }
        link = broker
          ? mqttTransport(
              broker,
              { nodeId: context.id, space, replica: host.replicaId ?? '', codec: shared.codec, clock },
              {
                frame: (bytes, kept) => void shared.receive(bytes, kept).catch(report),
                connected: () => host.reconnected(),
              },
              report,
            )
          : wireTransport((topic, bytes) =>
              context.emit(1, { _msgid: RED.util.generateId(), topic, payload: bytes }),
            );
        shared.attach(link);
        if (link.connected) {
          host.reconnected();
        }
        refresh();
      };
      shared.ready.then(connect).catch((thrown: unknown) => {
        report(thrown);
        refresh();
      });

      const offered: StateNode = { viewState: (find) => viewState(host, clock.monotonic(), find) };
      return {
        expose: offered,
        async input(msg, emit) {
          const answer = await serveMessage(shared, space, node, msg);
          refresh();
          if (answer) {
            emit(0, answer);
          }
        },
        async close() {
          closed = true;
          timer.cancel();
          host.listeners.delete(listener);
          if (link) {
            await shared.detach(link);
          }
          await lease.release();
        },
      };
    },
  });
};

function changeMessage(
  RED: NodeAPI,
  { key, value, ...state }: KeyState,
  rest: { origin: 'local' | 'remote'; operation: string; pending: number },
): EdgeMessage {
  const message: StateMessage = {
    _msgid: RED.util.generateId(),
    topic: key,
    payload: value,
    state: { ...state, ...rest },
  };
  return message;
}

/** Reports what no message of the flow can be blamed for, each kind of fault only so often. */
function throttledReport(context: NodeContext, space: string): (thrown: unknown) => void {
  const faults = seldomReports(context.clock);
  return (thrown) => {
    const error = toEdgeError(thrown);
    if (faults.isDue(`${error.code} ${JSON.stringify(error.details ?? null)}`)) {
      context.reject({ _msgid: context.RED.util.generateId(), topic: space }, error);
    }
  };
}
