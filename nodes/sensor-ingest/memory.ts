import type { IngestConfig } from './config';
import { SparkplugDecoder } from './decode/sparkplug/decoder';
import { FeatureExtractor } from './features/features';
import { TimeWindow } from './features/time-window';
import { CountWindow, WindowBudget, type RowWindow } from './features/window';
import { Deadband } from './reduce/deadband';
import type { Reducer } from './reduce/reducer';
import { SwingingDoor } from './reduce/swinging-door';
import { Sources } from './sources';

/**
 * What a node remembers between messages: its sources with their windows and runs of the reduction, and the births of
 * Sparkplug edge nodes. A deployment that leaves the node as it is hands it to the next instance.
 */
export class IngestMemory {
  readonly sources: Sources;
  readonly sparkplug: SparkplugDecoder;
  readonly extractor: FeatureExtractor;
  /** The same for configurations that mean the same. */
  private readonly signature: string;

  constructor(config: IngestConfig) {
    const budget = new WindowBudget();
    this.signature = JSON.stringify(config);
    this.sparkplug = new SparkplugDecoder(config.maxSources);
    this.extractor = new FeatureExtractor(config.features, config.sampleRate);
    this.sources = new Sources({
      maxSources: config.maxSources,
      dedupe: config.dedupe,
      makeWindow: () => makeWindow(config, this.extractor, budget),
      makeReducer: () => makeReducer(config),
    });
  }

  /** Whether another instance with this configuration can go on with it. */
  suits(config: IngestConfig): boolean {
    return this.signature === JSON.stringify(config);
  }
}

function makeWindow(
  { window, maxChannels }: IngestConfig,
  extractor: FeatureExtractor,
  budget: WindowBudget,
): RowWindow | undefined {
  if (!window) {
    return undefined;
  }
  return window.kind === 'count'
    ? new CountWindow(window.size, window.step, extractor, budget, maxChannels)
    : new TimeWindow(window.size, window.step, extractor, budget);
}

function makeReducer({ reduce }: IngestConfig): Reducer | undefined {
  if (!reduce) {
    return undefined;
  }
  return reduce.kind === 'deadband' ? new Deadband(reduce) : new SwingingDoor(reduce);
}
