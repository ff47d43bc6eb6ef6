/**
 * How well scores rank the anomalous rows before the others; both as in scikit-learn.
 *
 * @param anomalous 1 or 0 by row
 */
export interface Ranking {
  /** The chance that an anomalous row scores higher than a normal one; half for equal scores. */
  roc: number;
  /** Average precision: the mean of the precision at each anomalous row, equal scores counted together. */
  ap: number;
}

export function ranking(scores: ArrayLike<number>, anomalous: ArrayLike<number>): Ranking {
  const order = Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[b] - scores[a]);
  let positives = 0;
  let negatives = 0;
  let area = 0;
  let precision = 0;
  for (let at = 0; at < order.length;) {
    let end = at;
    let hits = 0;
    for (; end < order.length && scores[order[end]] === scores[order[at]]; end++) {
      hits += anomalous[order[end]] ? 1 : 0;
    }
    const misses = end - at - hits;
    area += misses * (positives + hits / 2);
    positives += hits;
    negatives += misses;
    precision += (hits * positives) / end;
    at = end;
  }
  return { roc: area / (positives * negatives), ap: precision / positives };
}
