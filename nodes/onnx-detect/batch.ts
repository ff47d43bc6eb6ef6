import type { Row } from '../shared/detection/rows';
import { EdgeError, toEdgeError } from '../shared/errors';
import { readRow, type MissingPolicy } from './model/row-reader';
import { newRowValues, type RowValues } from './model/row-values';
import type { ServedModel } from './model/served-model';
import { TensorBuilder } from './model/tensors';
import type { Run } from './score/parts';
import type { Sources } from './sources';

/** The place in the tensor of a reading whose window is not complete yet. */
export const NOT_YET = -1;

const NONE: readonly RowValues[] = [];

/** What a message makes of its sources' last readings. */
export type Staged = Map<string, readonly RowValues[]>;

/** Rows on their way into one tensor. Rows that are refused leave no trace in it. */
export class Batch {
  private readonly builder: TensorBuilder;
  private readonly rows: (readonly RowValues[])[] = [];

  constructor(
    private readonly model: ServedModel,
    private readonly missing: MissingPolicy,
    private readonly sources: Sources,
    capacity: number,
  ) {
    this.builder = new TensorBuilder(model.plan, Math.max(capacity, model.plan.fixedRows ?? 0));
  }

  /** Rows that the model will see. */
  get size(): number {
    return this.rows.length;
  }

  /**
   * Adds rows of one message, all of them or none.
   *
   * @param staged the sources' readings as this message leaves them; for {@link commit} once it is complete
   * @param numberFrom the first row's place in its batch message, for errors; undefined for a single reading
   * @returns the place of each row in the tensor, or {@link NOT_YET}
   * @throws EdgeError `SHAPE`, `FEATURE_MISSING`, `DTYPE`
   */
  add(rows: readonly Row[], staged: Staged, numberFrom: number | undefined): number[] {
    const before = this.rows.length;
    return rows.map(({ payload, source }, index) => {
      try {
        return this.addRow(payload, source, staged);
      } catch (thrown) {
        this.rows.length = before;
        this.builder.truncate(before);
        throw numberFrom === undefined ? thrown : inRow(toEdgeError(thrown), numberFrom + index);
      }
    });
  }

  /** Runs the model on all rows. The batch takes no more afterwards. */
  async run(): Promise<Run> {
    return { outputs: await this.model.session.run(this.builder.feeds()), rows: this.rows };
  }

  private addRow(payload: unknown, source: string, staged: Staged): number {
    const { plan } = this.model;
    const size = plan.window?.size ?? 1;
    const remembers = size > 1 || this.missing === 'last';
    const recent = remembers ? (staged.get(source) ?? this.sources.recent(source)) : NONE;
    const values = newRowValues(plan.width);
    readRow(plan, payload, this.missing, recent.at(-1), values);
    const readings = size === 1 ? [values] : [...recent, values].slice(-size);
    if (readings.length < size) {
      staged.set(source, readings);
      return NOT_YET;
    }
    this.builder.add(readings);
    if (remembers) {
      staged.set(source, readings);
    }
    return this.rows.push(readings) - 1;
  }
}

/** Remembers what a complete message said about its sources. */
export function commit(staged: Staged, sources: Sources): void {
  for (const [source, readings] of staged) {
    sources.setRecent(source, readings);
  }
}

function inRow({ code, message, details }: EdgeError, index: number): EdgeError {
  return new EdgeError(code, `Row ${index} of the batch: ${message}`, { ...details, index });
}
