import { EdgeError } from '../nodes/shared/errors';

/** One number that an assessment rests on and cannot know by itself. Money is in the user's own currency. */
interface Definition {
  /** Option of the command line. */
  option: string;
  label: string;
  unit: string;
  value: number;
  min: number;
  max: number;
  /** A whole number. */
  whole?: true;
}

const DEFINITIONS = {
  pricePerGb: money('price-per-gb', 'Price of a GB sent to the cloud (10⁹ bytes)', 0.1),
  pricePerMillion: money('price-per-million', 'Price of a million messages in the cloud', 1),
  overheadBytes: {
    ...{ option: 'overhead-bytes', label: 'Overhead of a message on the wire (IP, TCP, TLS, MQTT)' },
    ...{ unit: 'bytes', value: 80, min: 0, max: 100_000 },
  },
  gatewayCost: money('gateway-cost', 'Gateway with installation, once', 1500),
  gatewayMonthly: money('gateway-monthly', 'Power and upkeep of the gateway, a month', 20),
  downtimePerHour: money('downtime-per-hour', 'Cost of an hour of unplanned downtime', 0),
  failuresPerYear: {
    ...{ option: 'failures-per-year', label: 'Unplanned stops a year, of all sources together' },
    ...{ unit: '', value: 4, min: 0, max: 1e6 },
  },
  hoursPerFailure: {
    ...{ option: 'hours-per-failure', label: 'Duration of an unplanned stop' },
    ...{ unit: 'h', value: 4, min: 0, max: 1e5 },
  },
  catchRate: percent('catch-rate', 'Share of the stops that is announced in time', 50),
  avoidedShare: percent('avoided-share', 'Share of an announced stop’s cost that is avoided', 70),
  falseAlarmsPerMonth: {
    ...{ option: 'false-alarms-per-month', label: 'False alarms a month' },
    ...{ unit: '', value: 2, min: 0, max: 1e6 },
  },
  falseAlarmCost: money('false-alarm-cost', 'Cost of looking into a false alarm', 50),
  sources: {
    ...{ option: 'sources', label: 'Sources (machines) that the gateway is to serve' },
    ...{ unit: '', value: 1, min: 1, max: 1e7, whole: true },
  },
  tolerance: {
    ...{ option: 'tolerance', label: 'Tolerance of the reduction, of the observed span (0.5, 1, 2 or 5)' },
    ...{ unit: '%', value: 1, min: 0.5, max: 5 },
  },
  latencyTarget: {
    ...{ option: 'latency-target', label: 'An alert must be there within (p95)' },
    ...{ unit: 'ms', value: 100, min: 0, max: 1e9 },
  },
  cloudRoundTrip: {
    ...{ option: 'cloud-round-trip', label: 'Round trip to the cloud and back' },
    ...{ unit: 'ms', value: 100, min: 0, max: 1e9 },
  },
} satisfies Record<string, Definition>;

export type AssumptionName = keyof typeof DEFINITIONS;

/** A number with where it came from. */
export interface Assumption {
  name: AssumptionName;
  label: string;
  unit: string;
  value: number;
  from: 'given' | 'default' | 'measured';
}

/** All assumptions, by name. */
export type Assumptions = Record<AssumptionName, number>;

/** Names, options, labels and defaults, for `--help` and forms. */
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
    const { name, label, unit, value } = definition;
    const entered = given[name];
    if (entered !== undefined) {
      return { name, label, unit, value: checked(definition, entered), from: 'given' };
    }
    const known = measured[name];
    return known === undefined
      ? { name, label, unit, value, from: 'default' }
      : { name, label, unit, value: known, from: 'measured' };
  });
}

export function valuesOf(assumptions: readonly Assumption[]): Assumptions {
  return Object.fromEntries(assumptions.map(({ name, value }) => [name, value])) as Assumptions;
}

function checked({ option, label, min, max, whole }: Definition, entered: unknown): number {
  const value = typeof entered === 'string' && entered.trim() !== '' ? Number(entered) : entered;
  if (typeof value !== 'number' || !(value >= min && value <= max) || (whole && !Number.isInteger(value))) {
    const kind = whole ? 'a whole number' : 'a number';
    throw new EdgeError(
      'REQUEST',
      `"${option}" (${label}) must be ${kind} from ${min} to ${max}, not "${String(entered)}".`,
      { property: option },
    );
  }
  return value;
}

function money(option: string, label: string, value: number): Definition {
  return { option, label, unit: 'money', value, min: 0, max: 1e12 };
}

function percent(option: string, label: string, value: number): Definition {
  return { option, label, unit: '%', value, min: 0, max: 100 };
}
