import type { IngestConfig } from './config';
import { SparkplugDecoder } from './decode/sparkplug/decoder';
import { FeatureExtractor } from './features/features';
import { TimeWindow } from './features/time-window';
import { CountWindow, type RowWindow } from './features/window';
import { Deadband } from './reduce/deadband';
import type { Reducer } from './reduce/reducer';
import { SwingingDoor } from './reduce/swinging-door';
import { Sources } from './sources';
import { ValueBudget } from './value-budget';

/** Values that the open windows of a node may hold: 128 MiB. */
const MAX_WINDOW_VALUES = 16 * 1024 * 1024;
/** Values that the runs of its reduction may hold, beyond which they are cut short: 64 MiB. */
const MAX_RUN_VALUES = 8 * 1024 * 1024;

/**
 * What a node remembers between messages: its sources with their windows and runs of the reduction, and the births of
 * Sparkplug edge nodes. A deployment that leaves the node as it is hands it to the next instance; ids, to know readings
 * that come again, only where a broker's session delivers again.
 */
export class IngestMemory {
  readonly sources: Sources;
  readonly sparkplug: SparkplugDecoder;
  readonly extractor: FeatureExtractor;
  /** The same for configurations that mean the same. */
  private signature: string;
  private readonly runs = new ValueBudget(MAX_RUN_VALUES);

  constructor(config: IngestConfig) {
    const windows = new ValueBudget(MAX_WINDOW_VALUES);
    this.signature = JSON.stringify(config);
    this.sparkplug = new SparkplugDecoder(config.maxSources);
    this.extractor = new FeatureExtractor(config.features, config.sampleRate);
    this.sources = new Sources({
      maxSources: config.maxSources,
      dedupe: config.dedupe,
      makeWindow: () => makeWindow(config, this.extractor, windows),
      makeReducer: () => makeReducer(config, this.runs),
    });
  }

  /** Goes on with a configuration that differs in the tolerance of the reduction only. */
  reduceBy(config: IngestConfig): void {
    this.signature = JSON.stringify(config);
    this.sources.reduceBy(() => makeReducer(config, this.runs));
  }

  /** Prepares it for the instance that goes on with it. */
  handOver({ subscription }: IngestConfig): this {
    if (!subscription) {
      this.sources.forgetReadings();
    }
    return this;
  }

  /** Whether another instance with this configuration can go on with it. */
  suits(config: IngestConfig): boolean {
    return this.signature === JSON.stringify(config);
  }
}

function makeWindow(
  { window, maxChannels }: IngestConfig,
  extractor: FeatureExtractor,
  budget: ValueBudget,
): RowWindow | undefined {
  if (!window) {
    return undefined;
  }
  return window.kind === 'count'
    ? new CountWindow(window.size, window.step, extractor, budget, maxChannels)
    : new TimeWindow(window.size, window.step, extractor, budget);
}

function makeReducer({ reduce }: IngestConfig, budget: ValueBudget): Reducer | undefined {
  if (!reduce) {
    return undefined;
  }
  return reduce.kind === 'deadband' ? new Deadband(reduce) : new SwingingDoor(reduce, budget);
}
