import { EdgeError } from '../../shared/errors';
import type { TensorArray, TensorData } from '../runtime/backend';
import type { InputPlan, InputSlot, InputType } from './input-plan';
import { featureName } from './row-reader';
import type { RowValues } from './row-values';

/** Whole numbers that each type holds; 64 bits as far as a number does exactly. */
const RANGES: Partial<Record<InputType, [min: number, max: number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32_768, 32_767],
  uint16: [0, 65_535],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  uint64: [0, Number.MAX_SAFE_INTEGER],
  bool: [0, 1],
};
/** Largest finite half-precision number. */
const LARGEST_HALF = 65_504;

/** The model's inputs being filled, row by row. */
export class TensorBuilder {
  private rows = 0;
  private readonly data: TensorArray[];

  /** @param capacity rows */
  constructor(
    private readonly plan: InputPlan,
    capacity: number,
  ) {
    this.data = plan.slots.map((slot) => allocate(slot.type, capacity * sizeOf(slot)));
  }

  /**
   * Adds one row, scaled as the card says.
   *
   * @param readings the reading, or those of its window, oldest first
   * @throws EdgeError `DTYPE` for a value that an input's type cannot hold; the row is then not added
   */
  add(readings: readonly RowValues[]): void {
    const { slots } = this.plan;
    for (let index = 0; index < slots.length; index++) {
      const slot = slots[index];
      const data = this.data[index];
      const start = this.rows * sizeOf(slot);
      for (let time = 0; time < readings.length; time++) {
        const values = readings[time];
        for (let i = 0; i < slot.count; i++) {
          const at = start + this.offset(slot, time, i);
          if (Array.isArray(data)) {
            data[at] = values.texts[slot.from + i];
          } else {
            this.pack(slot, slot.from + i, values.numbers[slot.from + i], data, at);
          }
        }
      }
    }
    this.rows++;
  }

  /** Gives up all rows but the first so many. */
  truncate(rows: number): void {
    this.rows = rows;
  }

  /** The tensors of the rows added so far; rows that the model insists on besides are zeros. */
  feeds(): Record<string, TensorData> {
    const rows = this.plan.fixedRows ?? this.rows;
    return Object.fromEntries(
      this.plan.slots.map((slot, index): [string, TensorData] => {
        const length = rows * sizeOf(slot);
        const data = this.data[index];
        const dims = slot.hasRows ? [rows, ...slot.shape] : [...slot.shape];
        clear(data, this.rows * sizeOf(slot), length);
        return [
          slot.name,
          { type: slot.type, dims, data: data.length > length ? data.slice(0, length) : data },
        ];
      }),
    );
  }

  private offset(slot: InputSlot, time: number, i: number): number {
    const { window } = this.plan;
    return window?.layout === 'NFT' ? i * window.size + time : time * slot.count + i;
  }

  private pack(
    slot: InputSlot,
    place: number,
    value: number,
    data: Exclude<TensorArray, string[]>,
    at: number,
  ): void {
    const scaled = (value - this.plan.mean[place]) / this.plan.scale[place];
    const range = RANGES[slot.type];
    if (range) {
      if (!Number.isInteger(scaled) || scaled < range[0] || scaled > range[1]) {
        throw unfit(this.plan, slot, place, scaled);
      }
      if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
        data[at] = BigInt(scaled);
      } else {
        data[at] = scaled;
      }
      return;
    }
    const values = data as Float32Array | Float64Array;
    values[at] = scaled;
    const isLost =
      !Number.isNaN(scaled) &&
      (!Number.isFinite(values[at]) || (slot.type === 'float16' && Math.abs(scaled) > LARGEST_HALF));
    if (isLost) {
      throw unfit(this.plan, slot, place, scaled);
    }
  }
}

function sizeOf({ shape }: InputSlot): number {
  return shape.reduce((size, dim) => size * dim, 1);
}

function allocate(type: InputType, length: number): TensorArray {
  switch (type) {
    case 'float16': // Half-precision numbers become such in the thread.
    case 'float32':
      return new Float32Array(length);
    case 'float64':
      return new Float64Array(length);
    case 'int8':
      return new Int8Array(length);
    case 'uint8':
    case 'bool':
      return new Uint8Array(length);
    case 'int16':
      return new Int16Array(length);
    case 'uint16':
      return new Uint16Array(length);
    case 'int32':
      return new Int32Array(length);
    case 'uint32':
      return new Uint32Array(length);
    case 'int64':
      return new BigInt64Array(length);
    case 'uint64':
      return new BigUint64Array(length);
    case 'string':
      return new Array<string>(length).fill('');
  }
}

function clear(data: TensorArray, from: number, to: number): void {
  if (Array.isArray(data)) {
    data.fill('', from, to);
  } else if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    data.fill(0n, from, to);
  } else {
    data.fill(0, from, to);
  }
}

function unfit(plan: InputPlan, { type }: InputSlot, place: number, value: number): EdgeError {
  const name = featureName(plan, place);
  return new EdgeError(
    'DTYPE',
    `Feature "${name}" is ${value}, which the model's ${type} input cannot hold. Send a value that fits, or export the model with a float32 input.`,
    { feature: name, type },
  );
}
