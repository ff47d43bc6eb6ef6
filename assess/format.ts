/** A number with so many significant digits, and separators of thousands. */
export function shown(value: number, digits = 3): string {
  if (!Number.isFinite(value)) {
    return '–';
  }
  return Number(value.toPrecision(digits)).toLocaleString('en', { maximumFractionDigits: 12 });
}

/** A whole number with separators of thousands. */
export function shownCount(value: number): string {
  return Math.round(value).toLocaleString('en');
}

/** Bytes in decimal units, as providers price them. */
export function shownSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const power = Math.max(0, Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return `${shown(bytes / 1000 ** power)} ${units[power]}`;
}

/** A duration in ms, in µs, ms or s. */
export function shownDuration(ms: number): string {
  if (ms < 1) {
    return `${shown(ms * 1000)} µs`;
  }
  return ms < 1000 ? `${shown(ms)} ms` : `${shown(ms / 1000)} s`;
}

export function shownPercent(share: number, digits = 3): string {
  return `${shown(100 * share, digits)} %`;
}

/** An amount in the user's own currency. */
export function shownMoney(amount: number): string {
  const digits = Math.abs(amount) >= 100 ? 0 : 2;
  return amount.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
