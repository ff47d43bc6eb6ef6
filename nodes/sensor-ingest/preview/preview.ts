import type { Clock } from '../../shared/clock';
import { ConfigReader } from '../../shared/config-reader';
import { failureOf } from '../../shared/dialog/failure';
import { EdgeError } from '../../shared/errors';
import { SeededRandom } from '../../shared/random';
import { parseIngestConfig, type IngestConfig } from '../config';
import type { Acceptance, Outcome } from '../acceptance';
import { IngestPipeline } from '../pipeline';
import { ReadingLog } from './reading-log';
import { decodePayload } from './sample';
import { shownReading, Units } from './shown';
import type {
  LastSample,
  Plot,
  PreviewRequest,
  PreviewResult,
  Rejection,
  Sample,
  WindowProgress,
} from './result';

export const MAX_SAMPLES = 300;
/** Of all payloads together, in characters. */
export const MAX_SAMPLE_TEXT = 2 * 1024 * 1024;
/** Numbers that one message may give: some 70 MB. A thread that runs out of memory can take the process with it. */
const MAX_VALUES = 500_000;
const MAX_SOURCES = 10_000;

/**
 * What the node would make of some messages if it had these properties: a fresh pipeline takes them in, each at the
 * time at which it arrived. Only topic and payload of a message are known here; where the source is named by another
 * property of the message, the property's name stands for it.
 *
 * @throws EdgeError `TOO_LARGE` for more samples than {@link MAX_SAMPLES} or {@link MAX_SAMPLE_TEXT}
 */
export function preview({ properties, samples, plot }: PreviewRequest): PreviewResult {
  checkSize(samples);
  let config: IngestConfig;
  try {
    config = knowable(parseIngestConfig(properties));
  } catch (thrown) {
    return { failure: failureOf(thrown), samples: samples.length, rejections: [] };
  }
  const percent = new ConfigReader(properties).text('toleranceType') === 'percent';
  const run = new PreviewRun(config, percent);
  samples.forEach((sample) => run.take(sample));
  return {
    samples: samples.length,
    rejections: run.rejections(),
    last: run.last,
    plot: run.plot(plot),
  };
}

/** @throws EdgeError `TOO_LARGE` */
export function checkSize(samples: readonly Sample[]): void {
  const text = samples.reduce((sum, { payload }) => sum + payload.length, 0);
  if (samples.length > MAX_SAMPLES || text > MAX_SAMPLE_TEXT) {
    throw new EdgeError(
      'TOO_LARGE',
      `A preview takes at most ${MAX_SAMPLES} messages of ${MAX_SAMPLE_TEXT} characters altogether, not ${samples.length} of ${text}. Paste a shorter sample.`,
    );
  }
}

class PreviewRun {
  last: LastSample | undefined;
  private readonly clock = new StandingClock();
  private readonly pipeline: IngestPipeline;
  /** Where windows are set: the same without them, for the rows that windows hold back. */
  private readonly rows: IngestPipeline | undefined;
  private readonly rowCounts = new Map<string, { rows: number; from: number; to: number }>();
  private readonly log = new ReadingLog();
  private readonly units: Units;
  private readonly rejected = new Map<string, Rejection>();
  private latestSource: string | undefined;

  /** @param percent whether the tolerance is in percent of a channel's span */
  constructor(
    private readonly config: IngestConfig,
    private readonly percent: boolean,
  ) {
    this.units = new Units(config);
    this.pipeline = new IngestPipeline(config, this.clock, new SeededRandom(1));
    if (config.window) {
      const plain = { ...config, window: undefined, reduce: undefined };
      this.rows = new IngestPipeline(plain, this.clock, new SeededRandom(1));
    }
  }

  take(sample: Sample): void {
    this.clock.arrival = sample.at;
    this.last = { at: sample.at, readings: 0 };
    try {
      const payload = decodePayload(sample, this.config.subscription !== undefined);
      const msg: { topic: string; payload: unknown } = { topic: sample.topic, payload };
      const rows = this.rowsOf(msg);
      checkVolume(rows ?? [], this.config);
      const acceptance = this.pipeline.accept(msg);
      this.log.add(acceptance.outcomes);
      this.last = this.describe(sample.at, acceptance, rows);
      if (acceptance.refused) {
        throw acceptance.refused;
      }
    } catch (thrown) {
      this.last.failure = failureOf(thrown);
      this.tally(this.last.failure);
    }
  }

  /** Why samples were refused, the most frequent reason first. */
  rejections(): Rejection[] {
    return [...this.rejected.values()].sort((a, b) => b.count - a.count);
  }

  plot(choice: PreviewRequest['plot']): Plot | undefined {
    const found = this.log.plot(choice, this.latestSource, this.units);
    if (!found) {
      return undefined;
    }
    const { name, ...plot } = found;
    const { reduce } = this.config;
    const state = this.pipeline.sources.find(name);
    if (!reduce || !state?.reducer) {
      return plot;
    }
    const { pointsIn, pointsOut, bytesIn, bytesOut, reducer } = state;
    return {
      ...plot,
      reduction: {
        pointsIn,
        pointsOut,
        bytesIn,
        bytesOut,
        maxError: reducer.maxError,
        tolerance: reduce.tolerance.limit,
        percent: this.percent,
      },
    };
  }

  /** Undefined where nothing holds rows back, and for a message that is refused, of which the node itself says why. */
  private rowsOf(msg: { payload: unknown }): Outcome[] | undefined {
    try {
      return this.rows?.accept(msg).outcomes;
    } catch {
      return undefined;
    }
  }

  private describe(at: number, acceptance: Acceptance, rows: Outcome[] | undefined): LastSample {
    const decoded = rows ?? acceptance.outcomes.filter(({ reduction }) => !reduction);
    const last: LastSample = { at, readings: acceptance.readings };
    decoded.forEach((row) => this.count(row));
    const row = decoded.at(-1);
    if (!row) {
      return last;
    }
    const { source, window } = row.reading;
    this.latestSource = source;
    if (!window) {
      last.reading = shownReading(row, this.units);
    }
    const features = this.log.featuresOf(source);
    if (features) {
      last.features = shownReading(features, this.units);
    } else if (!window) {
      last.progress = this.progressOf(source);
    }
    return last;
  }

  private count({ reading: { source, ts, quality } }: Outcome): void {
    // Other rows move no window.
    if (quality === 'good') {
      const { rows, from, to } = this.rowCounts.get(source) ?? { rows: 0, from: ts, to: ts };
      this.rowCounts.set(source, { rows: rows + 1, from: Math.min(from, ts), to: Math.max(to, ts) });
    }
  }

  private progressOf(source: string): WindowProgress | undefined {
    const { window, latenessMs } = this.config;
    if (!window) {
      return undefined;
    }
    const { rows, from, to } = this.rowCounts.get(source) ?? { rows: 0, from: 0, to: 0 };
    return window.kind === 'count'
      ? { kind: 'count', rows, size: window.size }
      : { kind: 'time', rows, span: to - from, size: window.size, lateness: latenessMs };
  }

  private tally({ code, message }: { code: string; message: string }): void {
    const count = (this.rejected.get(code)?.count ?? 0) + 1;
    this.rejected.set(code, { code, message, count });
  }
}

/**
 * Stands at the arrival of the message that is taken in, and half a millisecond after, so that arrival times can be
 * told from event times, which are whole. A pipeline sets no timers.
 */
class StandingClock implements Clock {
  arrival = 0;

  now(): number {
    return Math.floor(this.arrival) + 0.5;
  }

  monotonic(): number {
    return this.now();
  }

  after(): { cancel(): void } {
    return { cancel: () => undefined };
  }
}

function knowable(config: IngestConfig): IngestConfig {
  const { sourceName } = config;
  return {
    ...config,
    maxSources: Math.min(config.maxSources, MAX_SOURCES),
    sourceName:
      sourceName.from === 'message' && sourceName.path.text !== 'topic'
        ? { from: 'fixed', name: `msg.${sourceName.path.text}` }
        : sourceName,
  };
}

/**
 * @param rows of one message, before any window
 * @throws EdgeError `TOO_LARGE` when their windows could give more numbers than {@link MAX_VALUES}
 */
function checkVolume(rows: readonly Outcome[], { window, features }: IngestConfig): void {
  if (!window || rows.length < 2) {
    return;
  }
  const times = rows.map(({ reading }) => reading.ts).sort((a, b) => a - b);
  const windows =
    window.kind === 'count'
      ? rows.length / window.step
      : Math.min(
          (times[times.length - 1] - times[0] + window.size) / window.step,
          (rows.length * window.size) / window.step,
        );
  const width = Math.max(...rows.slice(-10).map(({ payload }) => Object.keys(payload).length));
  const values = Math.round(windows * width * features.length);
  if (values > MAX_VALUES) {
    throw new EdgeError(
      'TOO_LARGE',
      `The windows of the message would give about ${values} values; the preview takes at most ${MAX_VALUES}. Paste fewer rows.`,
    );
  }
}
