import type { Clock } from '../shared/clock';
import { MaintenanceMode } from '../shared/detection/maintenance';
import { rowsOf, sendVerdicts, type RowSet, type Verdict } from '../shared/detection/rows';
import type { Emit } from '../shared/edge-node';
import { EdgeError, toEdgeError } from '../shared/errors';
import type { Figures } from '../shared/figures';
import type { Detection, EdgeMessage } from '../shared/messages';
import type { StateStore } from '../shared/store/state-store';
import type { IsoForestConfig } from './config';
import { Detector } from './detector';
import { operate, type Operation } from './operations';
import { SourceTable, type CheckedRow, type NamedForest } from './source-table';
import { LiveView } from './live/live-view';
import { ScoreLog } from './live/score-log';
import { StateKeeper } from './state-keeper';
import { Growers } from './forest/variant';
import { TurnQueue } from './turn-queue';

export interface ForestRuntimeOptions {
  /** The node's id, for what is stored. */
  id: string;
  name: string;
  config: IsoForestConfig;
  clock: Clock;
  figures: Figures;
  /** Undefined when nothing is to survive a restart. */
  store?: Promise<StateStore>;
  /** Told of each reading that is flagged. */
  flagged?: (detection: Detection) => void;
  /** The scores that the dialog shows; those of the node before a deployment, where they are of the same kind. */
  scores?: ScoreLog;
  /** That of the node before a deployment. */
  maintenance?: MaintenanceMode;
  log: { info(text: string): void; warn(text: string): void };
}

/** What the status line tells. */
export interface ForestOverview {
  sources: number;
  learning: number;
  /** Whether something was flagged lately. */
  anomaly: boolean;
  suppressed: boolean;
  storeFailed: boolean;
}

/** More rows than this are judged over several turns of the event loop. */
const ROWS_AT_ONCE = 16;
const ANOMALY_SHOWN_MS = 60_000;

/** One node at work: takes messages in their order and keeps what the forests learned. */
export class ForestRuntime {
  private readonly table: SourceTable;
  private readonly detector: Detector;
  private readonly maintenance: MaintenanceMode;
  private readonly queue: TurnQueue;
  private readonly keeper: StateKeeper | undefined;
  private readonly log: ScoreLog;
  /** What the dialog shows of this node. */
  readonly live: LiveView;
  private lastFlagged = -Infinity;
  private storeFailed = false;

  constructor(private readonly options: ForestRuntimeOptions) {
    const { config, clock, figures, id, name, log } = options;
    this.queue = new TurnQueue(() => clock.monotonic());
    this.maintenance = options.maintenance ?? new MaintenanceMode();
    this.log = options.scores ?? new ScoreLog(() => clock.monotonic());
    if (options.store) {
      this.keeper = new StateKeeper({
        namespace: `iso-forest/${id}`,
        rowsPerWrite: config.model.retrain,
        clock,
        capture: (key) => this.capture(key),
        health: (error) => this.storeHealth(error),
      });
    }
    const { keeper } = this;
    const tools = {
      growers: new Growers(config.model.variant, config.model.sample),
      monotonic: () => clock.monotonic(),
      grown: (seconds: number) => figures.observe('edge_forest_retrain_seconds', seconds),
    };
    this.table = new SourceTable(name, config, tools, {
      has: (key) => keeper?.dormant.has(key) ?? false,
      count: () => (config.scope === 'source' ? (keeper?.dormant.size ?? 0) : 0),
    });
    this.detector = new Detector(name, config, this.table, this.maintenance, {
      learned: (forest) => keeper?.learned(forest),
      regime: (forest) => {
        keeper?.learned(forest, config.model.retrain);
        log.warn(
          `${forest.key || 'The forest'}: flagged for so long that this counts as normal now; learning anew.`,
        );
      },
      flagged: () => {
        this.lastFlagged = clock.monotonic();
      },
      judged: (detection, track) => {
        track.scores = this.log.record(detection, track.scores);
      },
    });
    this.live = new LiveView(this.table, this.log, config);
    figures.gauge('edge_forest_sources', () => this.table.sources);
    if (keeper && options.store) {
      const { store } = options;
      // Whoever comes first waits for the list of what is stored.
      void this.queue.run(() => keeper.open(store));
    }
  }

  overview(): ForestOverview {
    let learning = 0;
    for (const { model } of this.table.allForests()) {
      learning += model.learning ? 1 : 0;
    }
    const { clock } = this.options;
    return {
      sources: this.table.sources,
      learning,
      anomaly: clock.monotonic() - this.lastFlagged < ANOMALY_SHOWN_MS,
      suppressed: this.maintenance.covers('', clock.now()),
      storeFailed: this.storeFailed,
    };
  }

  /** Sources that were heard, or that are known from before a restart, `most` of them at most. */
  heardSources(most: number): string[] {
    const names = new Set<string>();
    const stored = this.options.config.scope === 'source' ? (this.keeper?.dormant.keys() ?? []) : [];
    for (const known of [this.table.names(), stored]) {
      for (const name of known) {
        if (names.size >= most) {
          break;
        }
        names.add(name);
      }
    }
    return [...names];
  }

  /** Serves a message; returns at once for a reading whose forest is awake. */
  input(msg: EdgeMessage, emit: Emit): void | Promise<void> {
    const { clock } = this.options;
    const arrived = clock.monotonic();
    try {
      const operation = (msg as { operation?: unknown }).operation;
      if (operation !== undefined && operation !== '') {
        return this.later(() => this.operate(operation, msg, emit));
      }
      const now = clock.now();
      const set = rowsOf(msg, now);
      if (this.queue.idle && set.rows.length <= ROWS_AT_ONCE && !this.isAsleep(set)) {
        this.serveNow(msg, set, arrived, now, emit);
        return undefined;
      }
      return this.serveLater(msg, set, arrived, emit);
    } catch (thrown) {
      throw this.rejected(thrown);
    }
  }

  /** Flags by the thresholds and votes of another configuration, after what was received before. */
  retune(config: IsoForestConfig): Promise<void> {
    return this.queue.run(() => {
      this.table.retune(config);
      return Promise.resolve();
    });
  }

  async close(removed: boolean): Promise<void> {
    await this.queue.drained();
    const lost = (await this.keeper?.close(removed)) ?? 0;
    if (lost > 0) {
      this.options.log.warn(
        `What ${lost} forests learned last could not be stored in time; they go on from an earlier state.`,
      );
    }
  }

  /** It runs on every reading, and so makes no closure. */
  private serveNow(msg: EdgeMessage, set: RowSet, arrived: number, now: number, emit: Emit): void {
    const checked = this.table.check(set.rows);
    const verdicts =
      checked.length === 1 ? [this.judge(checked[0], arrived, now)] : this.judgeAll(checked, arrived, now);
    sendVerdicts(msg, set, verdicts, emit);
  }

  private judgeAll(checked: readonly CheckedRow[], arrived: number, now: number): Verdict[] {
    return checked.map((row) => this.judge(row, arrived, now));
  }

  private serveLater(msg: EdgeMessage, set: RowSet, arrived: number, emit: Emit): Promise<void> {
    return this.later(() => this.serve(msg, set, arrived, emit));
  }

  private later(task: () => Promise<void>): Promise<void> {
    return this.counted(this.queue.run(task));
  }

  private async serve(msg: EdgeMessage, set: RowSet, arrived: number, emit: Emit): Promise<void> {
    for (const key of this.asleep(set)) {
      await this.wake(key);
    }
    const checked = this.table.check(set.rows);
    const verdicts: Verdict[] = [];
    await this.queue.inSlices(() => {
      if (verdicts.length < checked.length) {
        verdicts.push(this.judge(checked[verdicts.length], arrived, this.options.clock.now()));
      }
      return verdicts.length < checked.length;
    });
    sendVerdicts(msg, set, verdicts, emit);
  }

  private judge(checked: CheckedRow, arrived: number, now: number): Verdict {
    const { clock, figures } = this.options;
    const verdict = this.detector.judge(checked, now);
    verdict.detection.latencyMs = clock.monotonic() - arrived;
    figures.add('edge_readings_total');
    if (verdict.detection.kind) {
      figures.addLabelled('edge_detections_total', 'kind', verdict.detection.kind);
      this.options.flagged?.(verdict.detection);
    }
    return verdict;
  }

  private async operate(operation: unknown, msg: EdgeMessage, emit: Emit): Promise<void> {
    const source = typeof msg.topic === 'string' ? msg.topic : '';
    if (operation === 'maintenance') {
      this.maintenance.apply(source, msg.payload, this.options.clock.now());
      return;
    }
    const asked = typeof operation === 'string' ? operation : `(${typeof operation})`;
    const answer = await operate(asked as Operation, source, msg.payload, {
      config: this.options.config,
      table: this.table,
      keeper: this.keeper,
      wake: (key) => this.wake(key),
      catchUp: (forest) => this.catchUp(forest),
    });
    if (asked === 'reset') {
      this.log.keepOnly((known) => this.table.forestOf(known) !== undefined);
    }
    if (answer !== undefined) {
      msg.payload = answer;
      emit(1, msg);
    }
  }

  private isAsleep(set: RowSet): boolean {
    const dormant = this.keeper?.dormant;
    return dormant !== undefined && dormant.size > 0 && this.asleep(set).length > 0;
  }

  private asleep({ rows }: RowSet): string[] {
    const dormant = this.keeper?.dormant;
    if (!dormant || dormant.size === 0) {
      return [];
    }
    const keys = new Set(rows.map(({ source }) => this.table.keyOf(source)));
    return [...keys].filter((key) => dormant.has(key));
  }

  private async wake(key: string): Promise<void> {
    const state = await this.keeper?.wake(key);
    const unfit = state && this.table.unfit(state);
    if (unfit !== undefined) {
      this.options.log.info(`${key || 'The forest'}: what was stored is not used, ${unfit}; learning anew.`);
    } else if (state) {
      await this.catchUp(this.table.resume(key, state));
    }
  }

  private catchUp({ model }: NamedForest): Promise<void> {
    return this.queue.inSlices(() => model.growNext());
  }

  private capture(key: string): ReturnType<SourceTable['state']> | undefined {
    const forest = this.table.forest(key);
    return forest && this.table.state(forest);
  }

  private storeHealth(error: EdgeError | undefined): void {
    this.storeFailed = error !== undefined;
    if (error) {
      this.options.log.warn(
        `${error.code}: ${error.message} Detection goes on; what is learned is not kept.`,
      );
    } else {
      this.options.log.info('The state store works again.');
    }
  }

  private async counted(served: Promise<void>): Promise<void> {
    try {
      await served;
    } catch (thrown) {
      throw this.rejected(thrown);
    }
  }

  private rejected(thrown: unknown): EdgeError {
    const error = toEdgeError(thrown);
    this.options.figures.addLabelled('edge_rejected_total', 'code', error.code);
    return error;
  }
}
