/** `npm run bench:fleet-costs`: what a fleet sends and needs, on paper, from one gateway to 100,000. */
import { table } from '../table';

/** Every figure that the table is made of, and where it comes from. */
const ASSUMPTIONS = {
  sensors: { value: 30, source: "the article's 3,000 sensors over 100 gateways" },
  readingsPerSensor: { value: 1, source: 'one reading a second; waveforms stay at the gateway as features' },
  keptShare: {
    value: 0.28,
    source: 'reduced stream of CNC telemetry by reading: 72.4 % fewer (bench:reduction)',
  },
  bytesPerReading: { value: 180, source: 'assumed: content "message", eight channels, its share of a batch' },
  alertsPerDay: {
    value: 1300,
    source: '0.5 false episodes in 1,000 readings, the bound that detection keeps',
  },
  batch: { value: 50, source: 'batchSize of the uplink' },
  keepaliveSeconds: { value: 15, source: 'default of edge-broker' },
  brokerMessages: { value: 20_000, source: 'assumed of one broker node at quality of service 1' },
  brokerConnections: { value: 50_000, source: 'assumed of one broker node' },
  vectorBytes: { value: 20, source: 'one replica in a full version vector (bench:state, 100 gateways)' },
  spaceLimit: { value: 100, source: 'gateways in one space; larger fleets have a space a plant' },
} as const;

type Assumptions = { [Name in keyof typeof ASSUMPTIONS]: number };

const SECONDS_A_DAY = 86_400;
const SIZES = [1, 10, 100, 1000, 10_000, 100_000];

/** One row of the table for so many gateways. */
export function costsOf(gateways: number, a: Assumptions): Record<string, number> {
  const readings = gateways * a.sensors * a.readingsPerSensor * a.keptShare;
  const messages = readings / a.batch + (gateways * a.alertsPerDay) / SECONDS_A_DAY;
  const pings = gateways / a.keepaliveSeconds;
  const space = Math.min(gateways, a.spaceLimit);
  return {
    readings,
    messages,
    bytesPerDay: readings * a.bytesPerReading * SECONDS_A_DAY,
    packets: 2 * messages + 2 * pings,
    brokers: Math.max(
      1,
      Math.ceil(Math.max((2 * messages + 2 * pings) / a.brokerMessages, gateways / a.brokerConnections)),
    ),
    spaces: Math.ceil(gateways / a.spaceLimit),
    vectorBytes: space * a.vectorBytes,
  };
}

function shown(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(2)));
}

function main(): void {
  const values = Object.fromEntries(
    Object.entries(ASSUMPTIONS).map(([name, { value }]) => [name, value]),
  ) as Assumptions;
  const rows = SIZES.map((gateways) => {
    const row = costsOf(gateways, values);
    return [
      gateways.toLocaleString('en-US'),
      shown(row.readings),
      shown(row.messages),
      `${shown(row.bytesPerDay / 1e9)} GB`,
      shown(row.packets),
      shown(row.brokers),
      shown(row.spaces),
      `${shown(row.vectorBytes)} B`,
    ];
  });
  const header = [
    'gateways',
    'readings/s sent',
    'publishes/s',
    'a day',
    'packets/s',
    'brokers',
    'spaces',
    'full vector',
  ];
  console.log(table(header, rows));
  console.log('\nfrom');
  for (const [name, { value, source }] of Object.entries(ASSUMPTIONS)) {
    console.log(`- ${name} = ${value}: ${source}`);
  }
}

if (require.main === module) {
  main();
}
