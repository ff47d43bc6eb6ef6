import type { RowWindow } from './forest/row-window';

/** By feature: the median, and half the distance between the quartiles. */
export interface TypicalValues {
  median: Float32Array;
  spread: Float32Array;
}

const ROWS_LOOKED_AT = 255;

/** Median and spread of each feature, from at most 255 rows at even distances of those since `since`. */
export function typicalValues(rows: RowWindow, since: number): TypicalValues {
  const first = Math.max(rows.first, since);
  const available = rows.count - first;
  const looked = Math.min(available, ROWS_LOOKED_AT);
  const median = new Float32Array(rows.width).fill(NaN);
  const spread = new Float32Array(rows.width);
  const column = new Float32Array(looked);
  for (let feature = 0; feature < rows.width; feature++) {
    let count = 0;
    for (let i = 0; i < looked; i++) {
      const value = rows.value(first + Math.floor((i * available) / looked), feature);
      if (value === value) {
        column[count++] = value;
      }
    }
    if (count > 0) {
      const sorted = column.subarray(0, count).sort();
      const middle = count >> 1;
      median[feature] = count % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
      spread[feature] = (sorted[(count * 3) >> 2] - sorted[count >> 2]) / 2;
    }
  }
  return { median, spread };
}
