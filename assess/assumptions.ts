import { EdgeError } from '../nodes/shared/errors';

/** Of an assumption; money is in the user's own currency, a number has none. */
export type AssumptionUnit = 'money' | 'number' | 'percent' | 'bytes' | 'hours' | 'milliseconds';

/** One number that an assessment rests on and cannot know by itself. What it is called is in the catalogues of reports. */
interface Definition {
  /** Option of the command line. */
  option: string;
  unit: AssumptionUnit;
  value: number;
  min: number;
  max: number;
  /** A whole number. */
  whole?: true;
}

const DEFINITIONS = {
  pricePerGb: money('price-per-gb', 0.1),
  pricePerMillion: money('price-per-million', 1),
  overheadBytes: { option: 'overhead-bytes', unit: 'bytes', value: 80, min: 0, max: 100_000 },
  gatewayCost: money('gateway-cost', 1500),
  gatewayMonthly: money('gateway-monthly', 20),
  downtimePerHour: money('downtime-per-hour', 0),
  failuresPerYear: { option: 'failures-per-year', unit: 'number', value: 4, min: 0, max: 1e6 },
  hoursPerFailure: { option: 'hours-per-failure', unit: 'hours', value: 4, min: 0, max: 1e5 },
  catchRate: percent('catch-rate', 50),
  avoidedShare: percent('avoided-share', 70),
  falseAlarmsPerMonth: { option: 'false-alarms-per-month', unit: 'number', value: 2, min: 0, max: 1e6 },
  falseAlarmCost: money('false-alarm-cost', 50),
  sources: { option: 'sources', unit: 'number', value: 1, min: 1, max: 1e7, whole: true },
  tolerance: { option: 'tolerance', unit: 'percent', value: 1, min: 0.5, max: 5 },
  latencyTarget: { option: 'latency-target', unit: 'milliseconds', value: 100, min: 0, max: 1e9 },
  cloudRoundTrip: { option: 'cloud-round-trip', unit: 'milliseconds', value: 100, min: 0, max: 1e9 },
} satisfies Record<string, Definition>;

export type AssumptionName = keyof typeof DEFINITIONS;

/** A number with where it came from. */
export interface Assumption {
  name: AssumptionName;
  unit: AssumptionUnit;
  value: number;
  from: 'given' | 'default' | 'measured';
}

/** All assumptions, by name. */
export type Assumptions = Record<AssumptionName, number>;

/** Names, options, units and defaults, for `--help` and forms. */
export const ASSUMPTIONS = Object.entries(DEFINITIONS).map(([name, definition]) => ({
  name: name as AssumptionName,
  ...(definition as Definition),
}));

/**
 * Fills in what was not given.
 *
 * @param given by name; undefined values count as not given
 * @param measured known from the sample
 * @throws EdgeError `REQUEST` for what is no number or out of bounds
 */
export function completeAssumptions(
  given: Readonly<Partial<Record<AssumptionName, unknown>>>,
  measured: Partial<Assumptions>,
): Assumption[] {
  return ASSUMPTIONS.map((definition) => {
    const { name, unit, value } = definition;
    const entered = given[name];
    if (entered !== undefined) {
      return { name, unit, value: checked(definition, entered), from: 'given' };
    }
    const known = measured[name];
    return known === undefined
      ? { name, unit, value, from: 'default' }
      : { name, unit, value: known, from: 'measured' };
  });
}

export function valuesOf(assumptions: readonly Assumption[]): Assumptions {
  return Object.fromEntries(assumptions.map(({ name, value }) => [name, value])) as Assumptions;
}

function checked({ option, min, max, whole }: Definition, entered: unknown): number {
  const value = typeof entered === 'string' && entered.trim() !== '' ? Number(entered) : entered;
  if (typeof value !== 'number' || !(value >= min && value <= max) || (whole && !Number.isInteger(value))) {
    const kind = whole ? 'a whole number' : 'a number';
    throw new EdgeError(
      'REQUEST',
      `"${option}" must be ${kind} from ${min} to ${max}, not "${String(entered)}".`,
      { property: option },
    );
  }
  return value;
}

function money(option: string, value: number): Definition {
  return { option, unit: 'money', value, min: 0, max: 1e12 };
}

function percent(option: string, value: number): Definition {
  return { option, unit: 'percent', value, min: 0, max: 100 };
}
