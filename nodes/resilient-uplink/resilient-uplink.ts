import type { NodeAPI } from 'node-red';
import { brokerOf, connectionOf, httpOf } from '../shared/connections';
import { registerEdgeNode, withError, type Emit, type NodeContext } from '../shared/edge-node';
import { toEdgeError } from '../shared/errors';
import type { EdgeMessage } from '../shared/messages';
import { SAMPLE_MS } from './activity';
import { registerActivity, type ActiveNode } from './activity-endpoint';
import { parseUplinkConfig, type UplinkConfig } from './config';
import { registerConnections, type ConnectedNode } from './connection-endpoint';
import { registerDeadLetters, type DeadLetterNode } from './dead-letter-endpoint';
import { HttpLink } from './http-link';
import type { AdoptingNode } from './left-behind/endpoints';
import { outboxFile } from './left-behind/store-folder';
import { watchLeftBehind } from './left-behind/watch';
import type { Link } from './link';
import { MqttLink } from './mqtt-link';
import { OPERATIONS } from './operations';
import { Uplink } from './uplink';

const DELIVERED = 0;
const UNDELIVERABLE = 1;
const LARGEST_MESSAGE = 16 * 1024 * 1024;

/** Errors that lie in the message: it comes out of output 2. All others are the caller's to know. */
const UNSENDABLE = new Set(['TOPIC', 'TOO_LARGE', 'UNSERIALISABLE']);

export = function (RED: NodeAPI): void {
  const running = new Set<Uplink>();
  // Node-RED restarts whoever names a changed config node in a property, but does not look into lists such as ours.
  RED.events.on('flows:started', () => running.forEach((uplink) => uplink.refresh()));
  registerDeadLetters(RED);
  registerActivity(RED);
  registerConnections(RED);
  const leftBehind = watchLeftBehind(RED);
  registerEdgeNode(RED, {
    type: 'resilient-uplink',
    credentials: { hashKey: { type: 'password' } },
    adjustable: () => ['replayRate', 'batchSize', 'batchDelayMs', 'compression'],
    parse: (raw) => raw,
    start(raw, context) {
      const config = parseUplinkConfig(raw, context.credentials.hashKey);
      const { id, gateway, emit } = context;
      const source = { id, type: 'resilient-uplink', name: config.name };
      const links = config.connections.map((connection) => linkTo(connection, config, context));
      const uplink = new Uplink(config, {
        path: outboxFile(gateway.dataDir, id),
        adopter: { nodeId: id, stores: leftBehind.stores },
        links,
        clock: context.clock,
        random: context.random,
        envelope: {
          ...config,
          gatewayId: gateway.gatewayId,
          site: gateway.site,
          maxBytes: Math.min(LARGEST_MESSAGE, config.limitBytes / 2),
        },
        figures: context.figures,
        status: context.status,
        log: context.log,
        delivered: (msg) => emit(DELIVERED, msg),
        undeliverable: (msg, error) => emit(UNDELIVERABLE, withError(msg, error, source)),
      });
      leftBehind.use(gateway.dataDir);
      running.add(uplink);
      const reject = (msg: EdgeMessage, thrown: unknown, out: Emit): void => {
        const error = toEdgeError(thrown, 'STORE');
        context.figures.addLabelled('edge_uplink_dropped_total', 'code', error.code);
        if (!UNSENDABLE.has(error.code)) {
          throw error;
        }
        out(UNDELIVERABLE, withError(msg, error, source));
      };
      return {
        input: async (msg, out) => {
          const { operation: asked } = msg as { operation?: unknown };
          const operation = OPERATIONS.find((known) => known === asked);
          if (operation) {
            const answer = await uplink.operate(operation, msg.payload);
            if (answer) {
              out(DELIVERED, Object.assign(msg, { payload: answer }));
            }
            return;
          }
          try {
            await uplink.accept(msg);
          } catch (thrown) {
            reject(msg, thrown, out);
          }
        },
        expose: {
          deadLetters: (request) => uplink.deadLetters(request),
          requeue: (payload) => uplink.operate('requeue', payload),
          activity: () => ({
            samples: uplink.activity.samples,
            sampleMs: SAMPLE_MS,
            limitBytes: config.limitBytes,
            now: uplink.statistics(),
          }),
          connections: () => uplink.connections(),
          adopt: (request) => uplink.adopt(request),
        } satisfies DeadLetterNode & ConnectedNode & ActiveNode & AdoptingNode,
        details: () => ({ connections: uplink.connections() }),
        adjust: (other) => uplink.adjust(parseUplinkConfig(other, context.credentials.hashKey)),
        close: (removed) => {
          running.delete(uplink);
          return uplink.close(removed);
        },
      };
    },
  });
};

function linkTo(connection: string, config: UplinkConfig, { RED, id, clock }: NodeContext): Link {
  return connectionOf(RED, connection, 'connections').kind === 'broker'
    ? new MqttLink(() => brokerOf(RED, connection, 'connections'), id, config.qos, clock)
    : new HttpLink(() => httpOf(RED, connection, 'connections'));
}
