/** What a user enters in the sidebar; kept with the editor's own settings of that user. */
export interface Preferences {
  /** Of one GB that is sent, in the user's own currency. */
  pricePerGb: number;
  /** Bytes a day that the disk may be written. */
  flashPerDay: number;
  /** How long an assessment records. */
  minutes: number;
  /** Numbers of an assessment that were entered, by name. */
  assumed: Record<string, number | undefined>;
}

const KEY = 'millwright';
const DEFAULTS = { pricePerGb: 0.1, flashPerDay: 10e9, minutes: 5 };

export function preferences(): Preferences {
  const kept = RED.settings.get(KEY, {}) as Partial<Preferences>;
  return {
    pricePerGb: amount(kept.pricePerGb) ?? DEFAULTS.pricePerGb,
    flashPerDay: amount(kept.flashPerDay) ?? DEFAULTS.flashPerDay,
    minutes: amount(kept.minutes) ?? DEFAULTS.minutes,
    assumed: kept.assumed ?? {},
  };
}

export function keepPreferences(changed: Partial<Preferences>): void {
  RED.settings.set(KEY, { ...preferences(), ...changed });
}

/** A number from 0 up; undefined for anything else. */
export function amount(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : undefined;
}
