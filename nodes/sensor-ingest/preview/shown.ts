import type { IngestConfig } from '../config';
import { hasChannelUnit } from '../features/features';
import type { Outcome } from '../acceptance';
import { excerpt } from '../../shared/text';
import type { ShownReading } from './result';

/** Most channels that are shown. */
export const MAX_CHANNELS = 50;
/** Longest name that is shown whole. */
const MAX_NAME = 200;

/** A name as a dialog can hold it. */
export function shownName(name: string): string {
  return excerpt(name, MAX_NAME);
}

/** The units of channels, and of their features as far as these have one. */
export class Units {
  private readonly units = new Map<string, string>();
  private readonly hertz: readonly string[];

  constructor({ channels, features }: IngestConfig) {
    for (const { name, unit } of channels) {
      this.units.set(name, unit);
      for (const feature of features) {
        if (hasChannelUnit(feature.name)) {
          this.units.set(`${name}.${feature.name}`, unit);
        }
      }
    }
    this.hertz = features
      .filter(({ kind }) => kind === 'dominantFrequency' || kind === 'spectralCentroid')
      .map(({ name }) => `.${name}`);
  }

  /** @param windowed whether the name is that of a feature */
  of(name: string, windowed: boolean): string {
    return (
      this.units.get(name) ?? (windowed && this.hertz.some((feature) => name.endsWith(feature)) ? 'Hz' : '')
    );
  }
}

/** A reading of a preview, whose arrival times are no whole milliseconds. */
export function shownReading({ payload, reading }: Outcome, units: Units): ShownReading {
  const names = Object.keys(payload);
  const { window } = reading;
  return {
    source: shownName(reading.source),
    ts: Math.floor(reading.ts),
    arrival: !Number.isInteger(reading.ts),
    quality: reading.quality,
    values: names.slice(0, MAX_CHANNELS).map((name) => ({
      channel: shownName(name),
      value: payload[name],
      unit: units.of(name, window !== undefined),
    })),
    channels: names.length,
    ...(window && { window }),
  };
}
