import { drive, merge, type Pass, type Sent } from './drive';
import { change, count } from './figures';
import { Errors, measure, METHODS, TOLERANCES, type Method } from './rebuild';
import type { Series } from './series';
import { Traffic } from './traffic';

/** What one way of deciding came to over all recordings of a series. */
export interface Result {
  series: string;
  method: Method;
  /** Percent of span. */
  tolerance: number;
  /** What decides, or which channel is alone. */
  decided: string;
  before: Traffic;
  after: Traffic;
  errors: Errors;
}

export const BY_READING = 'by reading';
export const BY_CHANNEL = 'by channel';

export const SCALAR_HEADER = [
  'series',
  'method',
  'tolerance',
  'decided',
  'messages',
  'payload bytes',
  'PUBLISH, content payload',
  'PUBLISH, content message',
  'max error',
  'RMS error',
  'no line yet',
];

/** Reduces a series with every method and tolerance: whole, by channel, and each channel alone. */
export function reduceSeries(series: Series): Result[] {
  const names = [...series.ranges.keys()];
  const whole = unreduced(series, names);
  const before = new Map([
    ...names.map((name) => [name, unreduced(series, [name])] as const),
    [BY_READING, whole],
    [BY_CHANNEL, whole],
  ]);
  return METHODS.flatMap((method) =>
    TOLERANCES.flatMap((tolerance) => reduceOnce(series, before, method, tolerance)),
  );
}

/** What some channels take when every reading is sent. */
function unreduced({ topic, runs }: Series, channels: readonly string[]): Traffic {
  const properties = { channels: channels.map((name) => ({ name })) };
  const traffic = new Traffic();
  runs.forEach((messages) => traffic.addAll(topic, drive(properties, topic, messages).readings));
  return traffic;
}

function reduceOnce(
  series: Series,
  before: ReadonlyMap<string, Traffic>,
  method: Method,
  tolerance: number,
): Result[] {
  const { name, topic, runs, ranges, heartbeat } = series;
  const names = [...ranges.keys()];
  const result = (decided: string): Result => ({
    series: name,
    method,
    tolerance,
    decided,
    before: before.get(decided) ?? new Traffic(),
    after: new Traffic(),
    errors: new Errors(),
  });
  const spanOf = (channel: string): number | undefined => {
    const range = ranges.get(channel);
    return range && range.max - range.min;
  };
  const whole = result(BY_READING);
  const apart = result(BY_CHANNEL);
  const alone = names.map(result);
  const add = (to: Result, after: readonly Sent[], passes: readonly Pass[]): void => {
    to.after.addAll(topic, after);
    passes.forEach((pass) => to.errors.join(measure(pass, method, tolerance, spanOf)));
  };
  for (const messages of runs) {
    const pass = (channels: readonly string[]): Pass =>
      drive(
        {
          channels: channels.map((channel) => ({ name: channel, ...ranges.get(channel) })),
          reduce: method,
          tolerance,
          toleranceType: 'percent',
          heartbeat,
        },
        topic,
        messages,
      );
    const together = pass(names);
    add(whole, together.kept, [together]);
    if (names.length > 1) {
      const each = names.map((channel) => pass([channel]));
      add(apart, merge(each), each);
      each.forEach((one, index) => add(alone[index], one.kept, [one]));
    }
  }
  return names.length > 1 ? [whole, apart, ...alone] : [whole];
}

export function scalarRow({ series, method, tolerance, decided, before, after, errors }: Result): string[] {
  return [
    series,
    method,
    `${tolerance} %`,
    decided,
    `${count(before.messages)} → ${count(after.messages)}`,
    change(before.payload, after.payload),
    change(before.publishPayload, after.publishPayload),
    change(before.publishMessage, after.publishMessage),
    errors.max.toFixed(3),
    errors.rms.toFixed(3),
    count(errors.open),
  ];
}
