import type { NodeAPI } from 'node-red';
import { brokerOf } from '../shared/connections';
import { registerEdgeNode, type Emit } from '../shared/edge-node';
import { toEdgeError } from '../shared/errors';
import { forgetGone, leaveBehind, takeOver } from '../shared/handover';
import { follow } from '../shared/in-flight';
import { afterDeployment, watchDeliveries } from '../shared/deliveries';
import type { EdgeMessage } from '../shared/messages';
import type { Acceptance } from './acceptance';
import { Activity } from './activity';
import { parseIngestConfig } from './config';
import { rebirthCommand } from './decode/sparkplug/rebirth';
import { IngestMemory } from './memory';
import { MqttSource } from './mqtt/mqtt-source';
import { Pacer } from './mqtt/pacer';
import { Rebirths } from './mqtt/rebirths';
import { newMessage, REJECTS, sendOutcomes } from './outcome-messages';
import { IngestPipeline } from './pipeline';
import { registerPreview, type RecordingNode } from './preview/endpoints';
import { Recorder } from './preview/recorder';
import { quietWatches } from './quiet-watch';
import type { SourceEvent } from './sources';

const TYPE = 'sensor-ingest';

export = function (RED: NodeAPI): void {
  RED.events.on('flows:started', () => forgetGone((id) => Boolean(RED.nodes.getNode(id))));
  registerEdgeNode(RED, {
    type: TYPE,
    rejectOutput: REJECTS,
    adjustable: () => ['tolerance'],
    parse: parseIngestConfig,
    start(config, context) {
      const { clock, figures } = context;
      // Looked up first: a node that cannot start leaves what is remembered to the next one.
      const broker = config.subscription && brokerOf(RED, config.subscription.broker);
      const earlier = takeOver(TYPE, context.id);
      const pipeline = new IngestPipeline(
        config,
        clock,
        context.random,
        earlier instanceof IngestMemory && earlier.suits(config) ? earlier : undefined,
      );
      const expose: RecordingNode = { recorder: new Recorder() };
      const activity = new Activity(
        clock,
        (...status) => context.status.set(...status),
        () => pipeline.sources.silentCount,
      );
      const report = (event: SourceEvent): void => {
        context.emit(REJECTS, newMessage(RED, { topic: event.source, payload: { ...event }, event }));
        activity.sourcesChanged();
      };
      const rebirths = new Rebirths(clock, (topic) => source?.publish(topic, rebirthCommand(clock.now())));
      const accept = (msg: EdgeMessage): Acceptance => {
        try {
          return pipeline.accept(msg);
        } catch (thrown) {
          const error = toEdgeError(thrown);
          figures.addLabelled('edge_rejected_total', 'code', error.code);
          activity.rejected(error.code);
          const rebirthTopic = error.details?.rebirthTopic;
          if (typeof rebirthTopic === 'string') {
            rebirths.request(rebirthTopic);
          }
          throw error;
        }
      };
      const input = (msg: EdgeMessage, emit: Emit): Acceptance => {
        expose.recorder.record(msg, clock.now());
        const acceptance = accept(msg);
        figures.add('edge_readings_total', acceptance.readings);
        figures.add('edge_bytes_in_total', acceptance.bytesIn);
        figures.add('edge_bytes_out_total', acceptance.bytesOut);
        activity.accepted(acceptance.readings);
        acceptance.events.forEach(report);
        if (acceptance.rebirthTopic !== undefined) {
          rebirths.request(acceptance.rebirthTopic);
        }
        if (acceptance.refused) {
          figures.addLabelled('edge_rejected_total', 'code', acceptance.refused.code);
          activity.rejected(acceptance.refused.code);
          context.reject({ ...msg }, acceptance.refused);
        }
        sendOutcomes(msg, acceptance.outcomes, emit);
        return acceptance;
      };

      const watches = quietWatches(config, pipeline, clock, {
        silent: report,
        released: ({ name }, { outcomes, bytesOut }) => {
          figures.add('edge_bytes_out_total', bytesOut);
          sendOutcomes(newMessage(RED, { topic: name }), outcomes, context.emit);
        },
      });
      if (config.subscription && config.subscription.qos > 0) {
        watchDeliveries(RED);
      }
      const source =
        config.subscription &&
        broker &&
        new MqttSource({
          broker,
          nodeId: context.id,
          subscription: config.subscription,
          maxBytes: config.maxBytes,
          pacer: new Pacer(clock, setImmediate),
          nextTurn: setImmediate,
          later: (ms, action) => void clock.after(ms, action),
          onMessage({ topic, payload, qos, retain }, followed) {
            const msg = newMessage(RED, { topic, payload, qos, retain });
            const message = followed ? follow(msg._msgid) : undefined;
            let acceptance: Acceptance | undefined;
            try {
              acceptance = input(msg, context.emit);
            } catch (thrown) {
              context.reject(msg, toEdgeError(thrown));
            }
            return message && { message, forget: () => acceptance && pipeline.forget(acceptance) };
          },
          afterDeployment,
          onState: (state) => activity.linkChanged(state),
          warn: (text) => context.log.warn(text),
        });
      watches.forEach((watch) => watch.start());
      return {
        input: (msg, emit) => void input(msg, emit),
        expose,
        adjust: (other) => pipeline.memory.reduceBy(other),
        async close(removed) {
          watches.forEach((watch) => watch.stop());
          activity.stop();
          await source?.close();
          if (!removed) {
            leaveBehind(TYPE, context.id, pipeline.memory.handOver(config));
          }
        },
      };
    },
  });
  registerPreview(RED);
};
