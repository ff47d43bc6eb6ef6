/** The largest sub-sample that a tree may have. */
export const MAX_SAMPLE = 4096;

const AVERAGE = averages(MAX_SAMPLE);

/**
 * c(n): the average path length of an unsuccessful search in a binary search tree of n rows,
 * `2 H(n-1) - 2 (n-1)/n` with the exact harmonic number (Liu, Ting and Zhou 2008, equation 1). c(2) = 1.
 *
 * @param size rows, 0 to {@link MAX_SAMPLE}
 */
export function averagePathLength(size: number): number {
  return AVERAGE[size];
}

function averages(limit: number): Float64Array {
  const table = new Float64Array(limit + 1);
  let harmonic = 0;
  for (let size = 2; size <= limit; size++) {
    harmonic += 1 / (size - 1);
    table[size] = 2 * harmonic - (2 * (size - 1)) / size;
  }
  return table;
}
