import type { Maintenance } from '../../nodes/shared/detection/maintenance';
import { text } from './texts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/**
 * How long it lasts, who wanted it so, and why: “until 14:30”, “by anna”.
 *
 * @param now of the gateway's clock, ms since the epoch
 */
export function termsOf({ until, by, reason }: Maintenance, now: number): string[] {
  return [
    until === null ? text('maintenance.no-end') : text('maintenance.until', { time: shownEnd(until, now) }),
    ...(by === undefined ? [] : [text('maintenance.by', { by })]),
    ...(reason === undefined ? [] : [reason]),
  ];
}

/** How much of it is left; nothing where it has no end. */
export function shownRest({ until }: Maintenance, now: number): string {
  if (until === null) {
    return '';
  }
  const minutes = Math.max(1, Math.ceil((until - now) / MINUTE_MS));
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  const parts = [
    ...(hours > 0 ? [text('maintenance.hours', { value: hours })] : []),
    ...(rest > 0 || hours === 0 ? [text('maintenance.minutes', { value: rest })] : []),
  ];
  return text('maintenance.left', { time: parts.join(' ') });
}

/**
 * The clock's time alone when nobody can take the day for another; by the clock of whoever looks, which may be another
 * than the gateway's.
 */
function shownEnd(until: number, now: number): string {
  const end = new Date(Math.round((Date.now() + until - now) / MINUTE_MS) * MINUTE_MS);
  const isToday = end.toDateString() === new Date().toDateString();
  const clock = { hour: '2-digit', minute: '2-digit' } as const;
  return isToday
    ? end.toLocaleTimeString(undefined, clock)
    : until - now < 6 * DAY_MS
      ? end.toLocaleString(undefined, { weekday: 'short', ...clock })
      : end.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}
