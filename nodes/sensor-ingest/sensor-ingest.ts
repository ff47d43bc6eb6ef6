import type { NodeAPI } from 'node-red';
import { brokerOf } from '../shared/connections';
import { registerEdgeNode, type Emit } from '../shared/edge-node';
import { toEdgeError } from '../shared/errors';
import type { EdgeMessage } from '../shared/messages';
import { Activity } from './activity';
import { parseIngestConfig } from './config';
import { MqttSource } from './mqtt/mqtt-source';
import { Pacer } from './mqtt/pacer';
import { IngestPipeline, type Acceptance, type Outcome } from './pipeline';
import { registerPreview, type RecordingNode } from './preview/endpoints';
import { Recorder } from './preview/recorder';
import { SilenceWatch, type SourceEvent } from './sources';

const READINGS = 0;
const REDUCED = 1;
const REJECTS = 2;

export = function (RED: NodeAPI): void {
  registerEdgeNode(RED, {
    type: 'sensor-ingest',
    rejectOutput: REJECTS,
    parse: parseIngestConfig,
    start(config, context) {
      const { clock, figures } = context;
      const pipeline = new IngestPipeline(config, clock, context.random);
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
      const accept = (msg: EdgeMessage): Acceptance => {
        try {
          return pipeline.accept(msg);
        } catch (thrown) {
          const error = toEdgeError(thrown);
          figures.addLabelled('edge_rejected_total', 'code', error.code);
          activity.rejected(error.code);
          throw error;
        }
      };
      const input = (msg: EdgeMessage, emit: Emit): void => {
        expose.recorder.record(msg, clock.now());
        const acceptance = accept(msg);
        figures.add('edge_readings_total', acceptance.readings);
        figures.add('edge_bytes_in_total', acceptance.bytesIn);
        figures.add('edge_bytes_out_total', acceptance.bytesOut);
        activity.accepted(acceptance.readings);
        acceptance.events.forEach(report);
        if (acceptance.refused) {
          figures.addLabelled('edge_rejected_total', 'code', acceptance.refused.code);
          activity.rejected(acceptance.refused.code);
          context.reject({ ...msg }, acceptance.refused);
        }
        sendOutcomes(msg, acceptance.outcomes, emit);
      };

      const silence =
        config.silenceMs > 0
          ? new SilenceWatch(pipeline.sources, config.silenceMs, clock, report)
          : undefined;
      const source =
        config.subscription &&
        new MqttSource({
          broker: brokerOf(RED, config.subscription.broker),
          nodeId: context.id,
          subscription: config.subscription,
          maxBytes: config.maxBytes,
          pacer: new Pacer(clock, setImmediate),
          onMessage({ topic, payload, qos, retain }) {
            const msg = newMessage(RED, { topic, payload, qos, retain });
            try {
              input(msg, context.emit);
            } catch (thrown) {
              context.reject(msg, toEdgeError(thrown));
            }
          },
          onState: (state) => activity.linkChanged(state),
          warn: (text) => context.log.warn(text),
        });
      silence?.start();
      return {
        input,
        expose,
        async close() {
          silence?.stop();
          activity.stop();
          await source?.close();
        },
      };
    },
  });
  registerPreview(RED);
};

/** The message itself passes through with its reading; where it gives several, each has its own copy. */
function sendOutcomes(msg: EdgeMessage, outcomes: readonly Outcome[], emit: Emit): void {
  const reduced = outcomes.filter(({ reduction }) => reduction);
  const readings = outcomes.filter(({ reduction }) => !reduction);
  const copies = reduced.map((outcome): EdgeMessage => ({ ...msg, ...partsOf(outcome) }));
  if (readings.length === 1) {
    emit(READINGS, Object.assign(msg, partsOf(readings[0])));
  } else {
    const base = { ...msg };
    readings.forEach((outcome) => emit(READINGS, { ...base, ...partsOf(outcome) }));
  }
  copies.forEach((copy) => emit(REDUCED, copy));
}

function partsOf({ payload, reading, reduction }: Outcome): object {
  return { topic: reading.source, payload, reading, ...(reduction && { reduction }) };
}

function newMessage(RED: NodeAPI, properties: Omit<EdgeMessage, '_msgid'>): EdgeMessage {
  return { _msgid: RED.util.generateId(), ...properties };
}
