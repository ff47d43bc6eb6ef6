import type { NodeAPI } from 'node-red';
import { systemClock } from '../shared/clock';
import { brokerOf, type BrokerSettings } from '../shared/connections';
import { registerEdgeNode, type NodeContext } from '../shared/edge-node';
import { EdgeError, toEdgeError } from '../shared/errors';
import { forgetGone, leaveBehind, takeOver } from '../shared/handover';
import { follow } from '../shared/in-flight';
import { afterDeployment, watchDeliveries } from '../shared/deliveries';
import { keepMessagesYoung } from '../shared/young-messages';
import type { Acceptance } from './acceptance';
import { parseIngestConfig, readingConfigOf, type IngestConfig } from './config';
import { IngestMemory } from './memory';
import { IngestRuntime } from './ingest-runtime';
import { linkOptions } from './mqtt/link-options';
import { Pacer } from './mqtt/pacer';
import { newMessage, REJECTS } from './outcome-messages';
import { registerPreview, type RecordingNode } from './preview/endpoints';
import { DirectSource } from './thread/direct-source';
import { ReadingThreads } from './thread/threads';

const TYPE = 'sensor-ingest';

export = function (RED: NodeAPI): void {
  RED.events.on('flows:started', () => forgetGone((id) => Boolean(RED.nodes.getNode(id))));
  const threads = new ReadingThreads(systemClock);
  registerEdgeNode(RED, {
    type: TYPE,
    rejectOutput: REJECTS,
    adjustable: () => ['tolerance'],
    parse: parseIngestConfig,
    start(config, context) {
      // Looked up first: a node that cannot start leaves what is remembered to the next one.
      const broker = config.subscription && brokerOf(RED, config.subscription.broker);
      const earlier = takeOver(TYPE, context.id);
      const memory = earlier instanceof IngestMemory && earlier.suits(config) ? earlier : undefined;
      const runtime = new IngestRuntime(config, context, memory, (topic, payload) =>
        source?.publish(topic, payload),
      );
      const source = broker && directSource(threads, broker, config, context, runtime);
      return {
        input: (msg, emit) => void runtime.input(msg, emit),
        expose: { recorder: runtime.recorder } satisfies RecordingNode,
        adjust: (other) => runtime.pipeline.memory.reduceBy(other),
        async close(removed) {
          runtime.stop();
          await source?.close();
          if (!removed) {
            leaveBehind(TYPE, context.id, runtime.pipeline.memory.handOver(config));
          }
        },
      };
    },
  });
  registerPreview(RED);
};

function directSource(
  threads: ReadingThreads,
  broker: BrokerSettings,
  config: IngestConfig,
  context: NodeContext,
  runtime: IngestRuntime,
): DirectSource {
  const { RED, id, clock, status, log } = context;
  keepMessagesYoung();
  if (config.subscription && config.subscription.qos > 0) {
    watchDeliveries(RED);
  }
  const source = new DirectSource({
    attach: (listener) => threads.attach(listener),
    settings: () => ({
      config: readingConfigOf(config),
      broker: broker.name,
      connection: broker.connectionOptions({ nodeId: id, mqtt: linkOptions(config.maxBytes) }),
      wanted: runtime.recorder.wanted,
    }),
    renews: broker.renewAfterMs !== undefined,
    pacer: new Pacer(clock, setImmediate),
    nextTurn: setImmediate,
    later: (ms, action) => void clock.after(ms, action),
    afterDeployment,
    onDelivery(delivery, followed) {
      const { topic, qos, retain, payload } = delivery;
      const bytes = payload && Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
      const msg = newMessage(RED, { topic, payload: bytes, qos, retain });
      const message = followed ? follow(msg._msgid) : undefined;
      let acceptance: Acceptance | undefined;
      try {
        acceptance = runtime.take(delivery, msg);
      } catch (thrown) {
        context.reject(msg, toEdgeError(thrown));
      }
      return message && { message, forget: () => acceptance && runtime.pipeline.forget(acceptance) };
    },
    onState: (state) => runtime.activity.linkChanged(state),
    onFailed(error: EdgeError) {
      status.set('error', 'status.config');
      log.error(error.message);
    },
    warn: (text) => log.warn(text),
  });
  runtime.recorder.onWanted = () => source.want(runtime.recorder.wanted);
  return source;
}
