import type { Outcome } from '../acceptance';
import { MAX_CHANNELS, shownName, type Units } from './shown';
import type { Plot, PlotChoice, PlotPoint } from './result';

/** Readings of a source that can be plotted. */
const MAX_POINTS = 300;
/** Most sources that are offered to plot. */
const MAX_SOURCES = 50;

/** What one source sent in the preview. */
interface SourceLog {
  /** The last readings of output 1. */
  sent: Outcome[];
  /** Numbers of the readings of output 2. */
  kept: Set<number>;
  /** The latest complete window or waveform. */
  features: Outcome | undefined;
}

/** Remembers what a preview gave, source by source. */
export class ReadingLog {
  private readonly sources = new Map<string, SourceLog>();

  /** Takes in what a message gave. */
  add(outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) {
      const log = this.logOf(outcome.reading.source);
      if (outcome.reduction) {
        log.kept.add(outcome.reading.seq);
        continue;
      }
      log.sent.push(narrow(outcome));
      if (outcome.reading.window) {
        log.features = outcome;
      }
      if (log.sent.length > 2 * MAX_POINTS) {
        log.sent.splice(0, MAX_POINTS);
      }
    }
  }

  /** The latest complete window or waveform of a source. */
  featuresOf(source: string): Outcome | undefined {
    return this.sources.get(source)?.features;
  }

  /**
   * The last readings of one channel of one source.
   *
   * @param latest the source to plot when none is chosen
   * @returns `source` by its whole name; undefined when no source has sent anything
   */
  plot(choice: PlotChoice, latest: string | undefined, units: Units): (Plot & { name: string }) | undefined {
    const names = [...this.sources.keys()];
    const name =
      names.find((source) => shownName(source) === choice.source) ??
      names.find((source) => source === latest) ??
      names.at(0);
    const log = name === undefined ? undefined : this.sources.get(name);
    if (name === undefined || !log) {
      return undefined;
    }
    const last = log.sent.slice(-MAX_POINTS);
    const channels = channelsOf(last);
    const channel = channels.find((candidate) => shownName(candidate) === choice.channel) ?? channels.at(0);
    if (channel === undefined) {
      return undefined;
    }
    const points = last
      .filter(({ payload }) => Object.hasOwn(payload, channel))
      .map(({ payload, reading }): PlotPoint => [
        Math.floor(reading.ts),
        payload[channel],
        log.kept.has(reading.seq),
      ])
      .sort(([a], [b]) => a - b);
    const windowed = last.some(({ payload, reading }) => reading.window && Object.hasOwn(payload, channel));
    return {
      name,
      source: shownName(name),
      sources: [...new Set([name, ...names.slice(0, MAX_SOURCES)].map(shownName))].sort(),
      channel: shownName(channel),
      channels: channels.map(shownName),
      unit: units.of(channel, windowed),
      points,
    };
  }

  private logOf(source: string): SourceLog {
    let log = this.sources.get(source);
    if (!log) {
      log = { sent: [], kept: new Set(), features: undefined };
      this.sources.set(source, log);
    }
    return log;
  }
}

/** Of a wide reading only the channels that can be chosen are kept. */
function narrow(outcome: Outcome): Outcome {
  const entries = Object.entries(outcome.payload);
  return entries.length <= MAX_CHANNELS
    ? outcome
    : { ...outcome, payload: Object.fromEntries(entries.slice(0, MAX_CHANNELS)) };
}

/** The channels of some readings, in the order in which they come up. */
function channelsOf(outcomes: readonly Outcome[]): string[] {
  const names = new Set<string>();
  for (const { payload } of outcomes) {
    for (const name of Object.keys(payload)) {
      names.add(name);
      if (names.size === MAX_CHANNELS) {
        return [...names];
      }
    }
  }
  return [...names];
}
