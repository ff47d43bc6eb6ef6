import type { Assumptions } from './assumptions';

const MONTH_S = (365 / 12) * 86_400;
const GB = 1e9;
const MILLION = 1e6;
const MONTHS_A_YEAR = 12;
/** Payback is told up to here; what takes longer is no reason to buy. */
export const HORIZON_MONTHS = 120;

/** What leaves for the cloud. */
export interface Flow {
  messagesPerSecond: number;
  /** On the wire: payload, topic and overhead. */
  bytesPerSecond: number;
}

/** One way to reckon the return. Amounts a month, in the user's own currency. */
export interface PaybackCase {
  name: 'expected' | 'half-catch' | 'double-cost';
  /** What the gateway costs once. */
  once: number;
  cloudSaved: number;
  downtimeAvoided: number;
  falseAlarms: number;
  upkeep: number;
  /** What is left of the above. */
  benefit: number;
  /** Until the gateway has paid for itself; null when it never does within {@link HORIZON_MONTHS}. */
  months: number | null;
}

export interface Money {
  /** Everything sent to the cloud, a month. */
  cloudOnly: number;
  /** The reduced stream sent to the cloud, a month, without the gateway itself. */
  reduced: number;
  cases: PaybackCase[];
}

/** A month of a flow at the prices. */
export function monthlyPrice(flow: Flow, prices: Assumptions): number {
  return (
    (flow.bytesPerSecond * MONTH_S * prices.pricePerGb) / GB +
    (flow.messagesPerSecond * MONTH_S * prices.pricePerMillion) / MILLION
  );
}

/** @param all everything sent on; @param kept what the reduction would send on */
export function moneyOf(all: Flow, kept: Flow, assumed: Assumptions): Money {
  const cloudOnly = monthlyPrice(all, assumed);
  const reduced = monthlyPrice(kept, assumed);
  const reckon = (name: PaybackCase['name'], changed: Partial<Assumptions>): PaybackCase =>
    payback(name, cloudOnly - reduced, { ...assumed, ...changed });
  return {
    cloudOnly,
    reduced,
    cases: [
      reckon('expected', {}),
      reckon('half-catch', { catchRate: assumed.catchRate / 2 }),
      reckon('double-cost', {
        gatewayCost: 2 * assumed.gatewayCost,
        gatewayMonthly: 2 * assumed.gatewayMonthly,
        falseAlarmCost: 2 * assumed.falseAlarmCost,
      }),
    ],
  };
}

function payback(name: PaybackCase['name'], cloudSaved: number, assumed: Assumptions): PaybackCase {
  const hoursAMonth = (assumed.failuresPerYear * assumed.hoursPerFailure) / MONTHS_A_YEAR;
  const avoided = (assumed.catchRate / 100) * (assumed.avoidedShare / 100);
  const downtimeAvoided = hoursAMonth * assumed.downtimePerHour * avoided;
  const falseAlarms = assumed.falseAlarmsPerMonth * assumed.falseAlarmCost;
  const upkeep = assumed.gatewayMonthly;
  const benefit = cloudSaved + downtimeAvoided - falseAlarms - upkeep;
  const months = benefit > 0 ? assumed.gatewayCost / benefit : Infinity;
  return {
    ...{ name, once: assumed.gatewayCost, cloudSaved, downtimeAvoided, falseAlarms, upkeep, benefit },
    months: months <= HORIZON_MONTHS ? months : null,
  };
}
