import type { Row } from '../shared/detection/rows';
import { EdgeError, toEdgeError } from '../shared/errors';
import {
  allocateInput,
  inputTensor,
  packRow,
  readRow,
  type InputData,
  type MissingPolicy,
} from './model/row-reader';
import type { ServedModel } from './model/served-model';
import type { TensorData } from './runtime/backend';
import type { Run } from './score/parts';
import type { Sources } from './sources';

/** Rows on their way into one tensor. Rows that are refused leave no trace in it. */
export class Batch {
  rows = 0;
  private readonly values: Float64Array;
  private readonly data: InputData;

  constructor(
    private readonly model: ServedModel,
    private readonly missing: MissingPolicy,
    private readonly sources: Sources,
    capacity: number,
  ) {
    this.values = new Float64Array(capacity * model.plan.width);
    this.data = allocateInput(model.plan, capacity);
  }

  /**
   * Adds rows of one message, all of them or none.
   * @param staged the sources' values as this message leaves them; for {@link Batch.commit} once it is complete
   * @param numberFrom the first row's place in its batch message, for errors; undefined for a single reading
   * @returns place of the first row in the tensor
   * @throws EdgeError `SHAPE`, `FEATURE_MISSING`, `DTYPE`
   */
  add(rows: readonly Row[], staged: Map<string, Float64Array>, numberFrom: number | undefined): number {
    const { plan } = this.model;
    rows.forEach(({ payload, source }, index) => {
      const at = (this.rows + index) * plan.width;
      try {
        const last = this.missing === 'last' ? (staged.get(source) ?? this.sources.last(source)) : undefined;
        readRow(plan, payload, this.missing, last, this.values, at);
        packRow(plan, this.values, at, this.data);
      } catch (thrown) {
        throw numberFrom === undefined ? thrown : inRow(toEdgeError(thrown), numberFrom + index);
      }
      if (this.missing === 'last') {
        staged.set(source, this.values.slice(at, at + plan.width));
      }
    });
    const first = this.rows;
    this.rows += rows.length;
    return first;
  }

  /** Remembers what a complete message said about its sources. */
  commit(staged: ReadonlyMap<string, Float64Array>): void {
    for (const [source, values] of staged) {
      this.sources.setLast(source, values);
    }
  }

  /** Runs the model on all rows. The batch takes no more afterwards. */
  async run(): Promise<Run> {
    const { plan, session } = this.model;
    const feeds: Record<string, TensorData> = { [plan.input]: inputTensor(plan, this.data, this.rows) };
    return { outputs: await session.run(feeds), values: this.values };
  }
}

function inRow({ code, message, details }: EdgeError, index: number): EdgeError {
  return new EdgeError(code, `Row ${index} of the batch: ${message}`, { ...details, index });
}
