/** A number with as many significant digits as a person reads. */
export function shownNumber(value: number, digits = 6): string {
  return String(Number(value.toPrecision(digits)));
}

/** A duration in ms, in seconds. */
export function shownSeconds(ms: number): string {
  return shownNumber(ms / 1000);
}

/** A time in ms since the epoch as this browser's user writes it. */
export function shownTime(ts: number): string {
  return new Date(ts).toLocaleString();
}

/** Two times, as short as they can be told apart. */
export function shownSpan(from: number, to: number): [string, string] {
  const sameDay = new Date(from).toDateString() === new Date(to).toDateString();
  if (!sameDay) {
    return [shownTime(from), shownTime(to)];
  }
  const options: Intl.DateTimeFormatOptions = {
    hour: 'numeric',
    minute: '2-digit',
    second: '2-digit',
    ...(to - from < 10_000 && { fractionalSecondDigits: 3 }),
  };
  return [
    new Date(from).toLocaleTimeString(undefined, options),
    new Date(to).toLocaleTimeString(undefined, options),
  ];
}

/** A size in bytes, in the unit that suits it. */
export function shownBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${shownNumber(bytes / 1024 ** power, 3)} ${units[power]}`;
}
