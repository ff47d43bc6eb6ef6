import { AlarmGate } from '../shared/detection/alarm';
import { channelNames } from '../shared/detection/payload';
import type { Row } from '../shared/detection/rows';
import { EdgeError } from '../shared/errors';
import type { IsoForestConfig } from './config';
import { ForestModel } from './forest-model';
import type { ModelTools } from './model-options';
import type { SourceScores } from './live/score-log';
import type { SourceState } from './model-state';
import { nothingNumeric, readValues, RowBuilder } from './row-builder';
import type { KeptForest } from './state-keeper';

/** One source's way into its forest. */
export interface SourceTrack {
  source: string;
  builder: RowBuilder;
  gate: AlarmGate;
  forest: NamedForest;
  /** The latest scores; undefined before the first. */
  scores: SourceScores | undefined;
}

/** A forest and the name it is kept under: its source, or {@link SHARED} for `scope` = `node`. */
export interface NamedForest extends KeptForest {
  model: ForestModel;
}

/** A reading whose values have been found good. */
export interface CheckedRow {
  row: Row;
  channels: readonly string[];
  /** Of a message with a single row valid until the next check. */
  values: Float64Array;
  /** That of its source, where it has been looked up already. */
  track: SourceTrack | undefined;
}

/** The key of the forest that all sources share. */
export const SHARED = '';
const MAX_CHANNELS = 1000;
const MAX_WIDTH = 10_000;

/** The sources of a node and their forests. */
export class SourceTable {
  private readonly tracks = new Map<string, SourceTrack>();
  private readonly forests = new Map<string, NamedForest>();
  /** The values of a message with a single row. */
  private scratch = new Float64Array(0);

  /** @param known whether a source that is not here yet has a place already: its forest lies in the store */
  constructor(
    private readonly node: string,
    private readonly config: IsoForestConfig,
    private readonly tools: ModelTools,
    private readonly stored: { has(key: string): boolean; count(): number },
  ) {}

  get sources(): number {
    return this.tracks.size;
  }

  /** The names of all sources, in the order in which they came. */
  names(): IterableIterator<string> {
    return this.tracks.keys();
  }

  /** The forest that judges a source that has been heard; undefined for another. */
  forestOf(source: string): NamedForest | undefined {
    return this.tracks.get(source)?.forest;
  }

  /** The key of the forest that judges a source. */
  keyOf(source: string): string {
    return this.config.scope === 'node' ? SHARED : source;
  }

  forest(key: string): NamedForest | undefined {
    return this.forests.get(key);
  }

  allForests(): IterableIterator<NamedForest> {
    return this.forests.values();
  }

  /**
   * Checks the rows of a message and changes nothing.
   *
   * @throws EdgeError `PAYLOAD`, `CHANNEL_MISSING`, `NOT_FINITE`, `TOO_LARGE`, `SOURCE_LIMIT`
   */
  check(rows: readonly Row[]): CheckedRow[] {
    const { missing } = this.config.row;
    if (rows.length === 1) {
      const track = this.tracks.get(rows[0].source);
      if (track) {
        const { channels } = track.forest.model;
        const values = readValues(
          rows[0].payload,
          channels,
          missing,
          track.builder.last,
          this.scratchOf(channels.length),
        );
        return [{ row: rows[0], channels, values, track }];
      }
    }
    const seen = new Map<string, { channels: readonly string[]; last: Float64Array | undefined }>();
    const newcomers = new Set<string>();
    return rows.map((row) => {
      const track = this.tracks.get(row.source);
      const channels =
        track?.forest.model.channels ??
        this.forests.get(this.keyOf(row.source))?.model.channels ??
        seen.get(this.keyOf(row.source))?.channels ??
        this.channelsOf(row.payload);
      const last = seen.get(`source ${row.source}`)?.last ?? track?.builder.last;
      const values = readValues(row.payload, channels, missing, last);
      if (!track && !this.stored.has(row.source)) {
        newcomers.add(row.source);
        this.admit(newcomers.size);
      }
      seen.set(this.keyOf(row.source), { channels, last: undefined });
      seen.set(`source ${row.source}`, { channels, last: values });
      return { row, channels, values, track };
    });
  }

  /** The track of a checked row; a new source gets its own. */
  track({ row, channels, track }: CheckedRow): SourceTrack {
    const known = track ?? this.tracks.get(row.source);
    if (known) {
      return known;
    }
    const key = this.keyOf(row.source);
    const forest = this.forests.get(key) ?? this.plant(key, channels);
    return this.follow(row.source, forest);
  }

  /** Puts a stored or imported forest in place; the caller then lets it catch up. */
  resume(key: string, state: SourceState): NamedForest {
    this.remove(key);
    const forest = this.plant(key, state.model.channels);
    forest.model.resume(state.model);
    if (this.config.scope === 'source') {
      const track = this.follow(key, forest);
      if (state.builder) {
        track.builder.resume(state.builder);
      }
    }
    return forest;
  }

  /** Why a stored state cannot be used with the node's options; undefined when it can. */
  unfit(state: SourceState): string | undefined {
    const { channels, row } = this.config;
    if (channels.length > 0 && channels.join('\n') !== state.model.channels.join('\n')) {
      return 'it has other channels';
    }
    return state.shingle !== row.shingle || state.smoothing !== row.smoothing
      ? 'it was learned with another shingle or smoothing'
      : undefined;
  }

  state({ key, model }: NamedForest): SourceState {
    const builder = this.config.scope === 'source' ? this.tracks.get(key)?.builder : undefined;
    return {
      shingle: this.config.row.shingle,
      smoothing: this.config.row.smoothing,
      model: model.state(),
      builder: builder?.state() ?? null,
    };
  }

  /** Flags by other thresholds and votes from now on, in what is here and what comes. */
  retune({ model: { threshold }, alarm }: IsoForestConfig): void {
    this.config.model.threshold = threshold;
    Object.assign(this.config.alarm, alarm);
    for (const { model } of this.forests.values()) {
      model.retune(threshold);
    }
  }

  /** Forgets a forest and the sources that it judges. */
  remove(key: string): void {
    this.forests.delete(key);
    for (const track of this.config.scope === 'node' ? [...this.tracks.values()] : []) {
      this.tracks.delete(track.source);
    }
    if (this.config.scope === 'source') {
      this.tracks.delete(key);
    }
  }

  private scratchOf(channels: number): Float64Array {
    if (this.scratch.length !== channels) {
      this.scratch = new Float64Array(channels);
    }
    return this.scratch;
  }

  private channelsOf(payload: unknown): readonly string[] {
    if (this.config.channels.length > 0) {
      return this.config.channels;
    }
    const channels = Buffer.isBuffer(payload) ? [] : channelNames(payload, MAX_CHANNELS + 1);
    if (channels.length === 0) {
      throw nothingNumeric();
    }
    if (channels.length > MAX_CHANNELS || channels.length * this.config.row.shingle > MAX_WIDTH) {
      throw new EdgeError(
        'TOO_LARGE',
        `msg.payload has ${channels.length > MAX_CHANNELS ? 'over ' : ''}${Math.min(channels.length, MAX_CHANNELS)} channels, with shingle ${this.config.row.shingle}; name fewer in "channels" (${MAX_WIDTH} values a row at most).`,
      );
    }
    return channels;
  }

  private admit(newcomers: number): void {
    const { maxSources } = this.config;
    if (this.tracks.size + this.stored.count() + newcomers > maxSources) {
      throw new EdgeError(
        'SOURCE_LIMIT',
        `The forest follows ${maxSources} sources already; raise "maxSources" or reset sources that are gone.`,
      );
    }
  }

  private plant(key: string, channels: readonly string[]): NamedForest {
    const { model, row } = this.config;
    const width = channels.length * row.shingle;
    const forest: NamedForest = {
      key,
      unwritten: 0,
      due: false,
      model: new ForestModel(key, [...channels], width, model, this.tools),
    };
    this.forests.set(key, forest);
    return forest;
  }

  private follow(source: string, forest: NamedForest): SourceTrack {
    const { row, alarm } = this.config;
    const track: SourceTrack = {
      source,
      forest,
      scores: undefined,
      builder: new RowBuilder(forest.model.channels.length, row),
      gate: new AlarmGate(`${this.node}:${source}`, alarm),
    };
    this.tracks.set(source, track);
    return track;
  }
}
