import type { Emit, NodeContext } from '../shared/edge-node';
import { EdgeError, toEdgeError } from '../shared/errors';
import type { EdgeMessage } from '../shared/messages';
import type { Acceptance } from './acceptance';
import { Activity } from './activity';
import type { IngestConfig } from './config';
import { rebirthCommand } from './decode/sparkplug/rebirth';
import type { IngestMemory } from './memory';
import { Rebirths } from './mqtt/rebirths';
import { newMessage, REJECTS, sendOutcomes } from './outcome-messages';
import { IngestPipeline } from './pipeline';
import { Recorder } from './preview/recorder';
import { quietWatches } from './quiet-watch';
import type { SourceEvent } from './sources';
import type { Delivery } from './thread/packing';

/** One node at work: takes messages in, counts and shows what came of them, and sends it on. */
export class IngestRuntime {
  readonly recorder = new Recorder();
  readonly pipeline: IngestPipeline;
  readonly activity: Activity;
  private readonly rebirths: Rebirths;
  private readonly watches: ReturnType<typeof quietWatches>;

  /**
   * @param memory that of an instance which this one replaces
   * @param publish sends a command to the broker, where the node has a connection of its own
   */
  constructor(
    config: IngestConfig,
    private readonly context: NodeContext,
    memory: IngestMemory | undefined,
    publish: (topic: string, payload: Uint8Array) => void,
  ) {
    const { clock, random, status, figures } = context;
    this.pipeline = new IngestPipeline(config, clock, random, memory);
    this.activity = new Activity(
      clock,
      (...shown) => status.set(...shown),
      () => this.pipeline.sources.silentCount,
    );
    this.rebirths = new Rebirths(clock, (topic) => publish(topic, rebirthCommand(clock.now())));
    this.watches = quietWatches(config, this.pipeline, clock, {
      silent: (event) => this.report(event),
      released: ({ name }, { outcomes, bytesOut }) => {
        figures.add('edge_bytes_out_total', bytesOut);
        sendOutcomes(newMessage(context.RED, { topic: name }), outcomes, context.emit);
      },
    });
    this.watches.forEach((watch) => watch.start());
  }

  /** Takes in a message as it came. @throws EdgeError with a code of the contract */
  input(msg: EdgeMessage, emit: Emit): Acceptance {
    this.recorder.record(msg, this.context.clock.now());
    return this.enter(msg, emit, () => this.pipeline.accept(msg));
  }

  /** Takes in a message that its reader has read; `msg` carries its payload where it is wanted. @throws EdgeError */
  take({ read, topic, payload }: Delivery, msg: EdgeMessage): Acceptance {
    if (payload) {
      this.recorder.record(msg, this.context.clock.now());
    } else {
      this.recorder.pass(topic);
    }
    return this.enter(msg, this.context.emit, () => {
      if (read instanceof EdgeError) {
        throw read;
      }
      return read ? this.pipeline.enter(read) : this.pipeline.accept(msg);
    });
  }

  stop(): void {
    this.watches.forEach((watch) => watch.stop());
    this.activity.stop();
  }

  private enter(msg: EdgeMessage, emit: Emit, accept: () => Acceptance): Acceptance {
    const { figures } = this.context;
    const acceptance = this.counted(accept);
    figures.add('edge_readings_total', acceptance.readings);
    figures.add('edge_bytes_in_total', acceptance.bytesIn);
    figures.add('edge_bytes_out_total', acceptance.bytesOut);
    this.activity.accepted(acceptance.readings);
    acceptance.events.forEach((event) => this.report(event));
    if (acceptance.rebirthTopic !== undefined) {
      this.rebirths.request(acceptance.rebirthTopic);
    }
    if (acceptance.refused) {
      this.countRefusal(acceptance.refused);
      this.context.reject({ ...msg }, acceptance.refused);
    }
    sendOutcomes(msg, acceptance.outcomes, emit);
    return acceptance;
  }

  private counted(accept: () => Acceptance): Acceptance {
    try {
      return accept();
    } catch (thrown) {
      const error = toEdgeError(thrown);
      this.countRefusal(error);
      const rebirthTopic = error.details?.rebirthTopic;
      if (typeof rebirthTopic === 'string') {
        this.rebirths.request(rebirthTopic);
      }
      throw error;
    }
  }

  private countRefusal({ code }: EdgeError): void {
    this.context.figures.addLabelled('edge_rejected_total', 'code', code);
    this.activity.rejected(code);
  }

  private report(event: SourceEvent): void {
    const { RED, emit } = this.context;
    emit(REJECTS, newMessage(RED, { topic: event.source, payload: { ...event }, event }));
    this.activity.sourcesChanged();
  }
}
