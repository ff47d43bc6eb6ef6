/** The value below which the given share of the sorted numbers lies. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted.length === 0 ? NaN : sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** The middle one of some numbers, the upper of two. */
export function median(numbers: readonly number[]): number {
  return quantile(
    [...numbers].sort((a, b) => a - b),
    0.5,
  );
}

/** One row with p50, p95, p99 and maximum of some latencies. */
export function latencyRow(label: string, milliseconds: readonly number[]): [string, string] {
  const sorted = [...milliseconds].sort((a, b) => a - b);
  const shown = (share: number): string => quantile(sorted, share).toFixed(1);
  return [
    label,
    `p50 ${shown(0.5)}  p95 ${shown(0.95)}  p99 ${shown(0.99)}  max ${shown(1)}  (n = ${sorted.length})`,
  ];
}

/** A Markdown table. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column].length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
