export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard deviation of a sample. */
export function deviation(values: readonly number[]): number {
  const center = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1));
}

/**
 * Wilcoxon's signed-rank test of paired differences, two-sided and exact: the share of all sign patterns that are at least as
 * uneven. Equal distances share their ranks; differences of 0 are left out.
 *
 * @param differences at most 20
 */
export function signedRankP(differences: readonly number[]): number {
  const moved = differences
    .filter((difference) => difference !== 0)
    .sort((a, b) => Math.abs(a) - Math.abs(b));
  const ranks = moved.map((difference) => {
    const same = moved.flatMap((other, at) => (Math.abs(other) === Math.abs(difference) ? [at + 1] : []));
    return mean(same);
  });
  const total = ranks.reduce((sum, rank) => sum + rank, 0);
  const uneven = (positive: number): number => Math.abs(positive - total / 2);
  const seen = uneven(ranks.reduce((sum, rank, at) => sum + (moved[at] > 0 ? rank : 0), 0));
  let asUneven = 0;
  const patterns = 2 ** ranks.length;
  for (let pattern = 0; pattern < patterns; pattern++) {
    let positive = 0;
    for (let at = 0; at < ranks.length; at++) {
      positive += (pattern >> at) & 1 ? ranks[at] : 0;
    }
    asUneven += uneven(positive) >= seen - 1e-9 ? 1 : 0;
  }
  return asUneven / patterns;
}
