/** Percent by which `after` is less than `before`. */
export function fewer(before: number, after: number): number {
  return 100 * (1 - after / before);
}

export function percent(value: number, digits = 1): string {
  return `${value.toFixed(digits)} %`;
}

export function count(value: number): string {
  return value.toLocaleString('en');
}

/** A change as `before → after (percent less)`. */
export function change(before: number, after: number): string {
  return `${count(before)} → ${count(after)} (${percent(fewer(before, after))})`;
}
