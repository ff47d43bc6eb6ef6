import type { Assessment } from './assessment';
import type { PaybackCase } from './money';
import { FREE_CORE, FREE_MEMORY, SOURCE_BYTES } from './capacity';
import { shown, shownCount, shownDuration, shownMoney, shownPercent, shownSize } from './format';
import { NAME_RULES, VALUE_RULES } from './privacy';
import type { SettingResult } from './reduction';

/** A row of a table: a name and what is known of it. */
export type Row = [name: string, value: string];

/** One chapter of a report, in words that both text and HTML use. */
export interface Chapter {
  id: 'traffic' | 'reduction' | 'personal' | 'capacity' | 'latency' | 'money' | 'assumptions';
  title: string;
  /** The answer in one sentence. */
  verdict: string;
  /** Whether the verdict is one that asks for action; undefined where it is neither good nor bad. */
  good?: boolean;
  rows: Row[];
  tables: { header: string[]; rows: string[][] }[];
  notes: string[];
}

/** A reduction by less is none. */
const HARDLY = 0.05;

const CASES: Record<PaybackCase['name'], string> = {
  expected: 'as assumed',
  'half-catch': 'half the catch rate',
  'double-cost': 'double the cost',
};

/** Everything that a report says, chapter by chapter. */
export function chaptersOf(assessment: Assessment): Chapter[] {
  return [
    traffic(assessment),
    reduction(assessment),
    personal(assessment),
    capacity(assessment),
    latency(assessment),
    money(assessment),
    assumptions(assessment),
  ];
}

/** A setting in words, such as `swinging-door at 1 %`. */
export function settingName({ kind, tolerance }: SettingResult): string {
  return `${kind} at ${shown(tolerance)} %`;
}

/** A case of the return in words. */
export function caseName({ name }: PaybackCase): string {
  return CASES[name];
}

/** Months to pay back in words. */
export function shownMonths(months: number | null): string {
  return months === null ? 'never within 10 years' : `${shown(months)} months`;
}

function traffic({ traffic: seen, kept }: Assessment): Chapter {
  const { messagesPerSecond, bytesPerSecond, size } = seen;
  return {
    id: 'traffic',
    title: 'Traffic',
    verdict: `${shown(messagesPerSecond)} messages/s on ${shownCount(seen.topics)} topics: ${shownSize(seen.bytesPerDay)} a day.`,
    rows: [
      ['Listened', `${shownCount(seen.seconds)} s, ${shownCount(seen.messages)} messages`],
      ['Messages a second', `${shown(messagesPerSecond)}, at most ${shown(seen.peakPerSecond)}`],
      ['Bytes a second', shownSize(bytesPerSecond)],
      [
        'Bytes of a message',
        `half up to ${shownSize(size.p50)}, 95 % up to ${shownSize(size.p95)}, at most ${shownSize(size.max)}`,
      ],
    ],
    tables: [
      {
        header: ['Topics', 'how many', 'messages/s', 'a day', 'bytes a message'],
        rows: seen.patterns.map(({ pattern, topics, messages, bytes }) => [
          pattern || '(no topic)',
          shownCount(topics),
          shown(messages / seen.seconds),
          shownSize((bytes / seen.seconds) * 86_400),
          shownSize(bytes / messages),
        ]),
      },
    ],
    notes: [
      ...(kept.uncounted > 0
        ? [
            `${shownCount(kept.uncounted)} more messages were too large or too many to look at, and count nowhere.`,
          ]
        : []),
      ...(kept.messages < seen.messages
        ? [
            `Too much to keep whole: what follows is told from ${shownCount(kept.messages)} messages of ${shownCount(kept.topics)} topics.`,
          ]
        : []),
    ],
  };
}

function reduction({ decoded, settings, best, channels, traffic: seen }: Assessment): Chapter {
  const refused = decoded.refusals.map(
    ({ code, count, message }) => `${shownCount(count)} messages are no readings (${code}): ${message}`,
  );
  const chapter = { id: 'reduction', title: 'Reduction', tables: [], notes: refused } as const;
  if (!best) {
    return {
      ...chapter,
      verdict: 'Nothing could be read as a reading, so nothing can be said about reduction.',
      ...{ good: false, rows: [], tables: [], notes: refused },
    };
  }
  const fewer = 1 - best.bytesOut / best.bytesIn;
  return {
    ...chapter,
    verdict:
      fewer < HARDLY
        ? `At ${shown(best.tolerance)} % of the observed span nearly every reading has to be kept. Send in batches, or take out the noisiest channels below.`
        : `${settingName(best)} keeps ${shownPercent(1 - fewer)} of the bytes, wrong by ${shown(best.maxError)} % of the observed span at most.`,
    rows: [
      ['Readings', `${shownCount(decoded.readings)} of ${shownCount(decoded.sources.length)} sources`],
      [
        'Channels',
        `${shownCount(decoded.channels.length)}, ${shown(decoded.channelsPerReading)} in a reading`,
      ],
    ],
    tables: [
      {
        header: ['Setting', 'points kept', 'bytes kept', 'share', 'bytes a day', 'largest error measured'],
        rows: settings.map((setting) => [
          settingName(setting),
          `${shownCount(setting.pointsOut)} of ${shownCount(setting.pointsIn)}`,
          `${shownSize(setting.bytesOut)} of ${shownSize(setting.bytesIn)}`,
          shownPercent(setting.bytesOut / setting.bytesIn),
          shownSize((setting.bytesOut / keptSeconds(setting, decoded, seen)) * 86_400),
          `${shown(setting.maxError)} %`,
        ]),
      },
      {
        header: [`Channel by itself, ${settingName(best)}`, 'lowest', 'highest', 'points kept'],
        rows: channels.map(({ name, min, max, share }) => [
          ...[name, shown(min, 6), shown(max, 6)],
          shownPercent(share),
        ]),
      },
    ],
    notes: [
      'Percent are of the span observed in this sample, not of the instrument’s: with the instrument’s range in the channels table of sensor-ingest the same percentage keeps fewer points.',
      'Bytes are those of the readings as JSON. A reading is kept whole when any of its channels has to be: the table of channels, told from the source with the most readings, shows which do.',
      ...refused,
    ],
  };
}

/** How long it took for so many readings to come, were all kept messages all that came. */
function keptSeconds(
  setting: SettingResult,
  decoded: Assessment['decoded'],
  seen: Assessment['traffic'],
): number {
  const share = decoded.readings === 0 ? 1 : setting.pointsIn / decoded.readings;
  return Math.max(seen.seconds * share, 0.001);
}

function personal({ personal: fields }: Assessment): Chapter {
  return {
    id: 'personal',
    title: 'Personal data',
    verdict:
      fields.length === 0
        ? 'No field looks like personal data.'
        : `${shownCount(fields.length)} fields look like personal data. Set them in “drop” or “hash” of resilient-uplink.`,
    good: fields.length === 0,
    rows: [],
    tables:
      fields.length === 0
        ? []
        : [
            {
              header: ['Field', 'looks like', 'because of its', 'messages', 'suggestion'],
              rows: fields.map(({ path, kind, because, messages, suggestion }) => [
                ...[path, kind, because, shownCount(messages)],
                path === 'topic' ? 'choose other topics' : suggestion,
              ]),
            },
          ],
    notes: [
      `Looked for by field names (${NAME_RULES.map(({ kind }) => kind).join(', ')}) and by the shapes of values (${VALUE_RULES.map(({ kind }) => kind).join(', ')}). These are heuristics: a hit may be harmless, and a name in a field called x7 is not found.`,
      'No value is in this report.',
    ],
  };
}

function capacity({ capacity: found, timings, machine }: Assessment): Chapter {
  const { ingest, forest } = timings;
  return {
    id: 'capacity',
    title: 'This machine',
    verdict: found.carries
      ? `This machine carries ${shownCount(found.sources)} sources: ${shownPercent(found.load)} of one core.`
      : `This machine does not carry ${shownCount(found.sources)} sources: ${shownPercent(found.load)} of one core, ${shownSize(found.memoryBytes)} of memory.`,
    good: found.carries,
    rows: [
      [
        'Machine',
        `${machine.processor}, ${shownCount(machine.cores)} cores, ${shownSize(machine.memoryBytes)}`,
      ],
      [
        'Reading taken in',
        `${shownDuration(ingest.meanMs)} (measured on ${shownCount(ingest.readings)} readings)`,
      ],
      [
        'Reading judged by a forest',
        forest
          ? `${shownDuration(forest.meanMs)} (measured on ${shownCount(forest.readings)} readings)`
          : 'not measured: no numbers',
      ],
      ['Load', `${shown(found.readingsPerSecond)} readings/s, ${shownPercent(found.load)} of one core`],
      ['Memory', `${shownSize(found.memoryBytes)} of ${shownSize(found.machineMemoryBytes)}`],
      ['At most', `${shownCount(found.mostSources)} sources of this kind`],
    ],
    tables: [],
    notes: [
      `Carried means: at most ${shownPercent(FREE_CORE)} of one core and ${shownPercent(FREE_MEMORY)} of the memory. Memory is reckoned with ${shownSize(SOURCE_BYTES)} a source, as measured with 8 channels (bench/README.md).`,
      'A model in onnx-detect runs in a thread of its own and is not in these figures. What else runs on this machine made them larger.',
    ],
  };
}

function latency({ latency: { edgeMs, cloudMs, targetMs, edgeMeets, cloudMeets } }: Assessment): Chapter {
  const meets = (met: boolean): string => (met ? 'meets the target' : 'misses the target');
  return {
    id: 'latency',
    title: 'Latency',
    verdict: `An alert within ${shownDuration(targetMs)}: the edge ${meets(edgeMeets)}, the cloud ${meets(cloudMeets)}.`,
    good: edgeMeets,
    rows: [
      ['At the edge', `${shownDuration(edgeMs)} of work (p95, measured)`],
      ['By way of the cloud', `${shownDuration(cloudMs)} (the same and the assumed round trip)`],
    ],
    tables: [],
    notes: ['Work on one reading, without what waits in front of it when the machine is busy.'],
  };
}

function money({ money: found, assumptions: assumed, flow }: Assessment): Chapter {
  const [expected] = found.cases;
  const isGiven = assumed.some(({ name, from }) => name === 'downtimePerHour' && from === 'given');
  return {
    id: 'money',
    title: 'Return',
    verdict: `Pays back: ${shownMonths(expected.months)}.`,
    good: expected.months !== null,
    rows: [
      [
        'Everything to the cloud',
        `${shownMoney(found.cloudOnly)} a month (${shownSize(flow.all.bytesPerSecond * 86_400)} a day on the wire)`,
      ],
      [
        'Reduced at the edge',
        `${shownMoney(found.reduced)} a month (${shownSize(flow.kept.bytesPerSecond * 86_400)} a day on the wire)`,
      ],
    ],
    tables: [
      {
        header: [
          'Case',
          'once',
          'cloud saved',
          'downtime avoided',
          'false alarms',
          'upkeep',
          'left a month',
          'pays back',
        ],
        rows: found.cases.map((one) => [
          caseName(one),
          ...[one.once, one.cloudSaved, one.downtimeAvoided, -one.falseAlarms, -one.upkeep, one.benefit].map(
            shownMoney,
          ),
          shownMonths(one.months),
        ]),
      },
    ],
    notes: [
      'Amounts a month, in your own currency.',
      ...(isGiven
        ? []
        : ['Downtime is not counted, because its cost was not given: for most plants it is what decides.']),
    ],
  };
}

function assumptions({ assumptions: all }: Assessment): Chapter {
  const defaults = all.filter(({ from }) => from === 'default').length;
  return {
    id: 'assumptions',
    title: 'Assumptions',
    verdict:
      defaults === 0
        ? 'Every number below was given or measured.'
        : `${shownCount(defaults)} of ${shownCount(all.length)} numbers are defaults: replace them with your own.`,
    rows: [],
    tables: [
      {
        header: ['Assumption', 'value', 'from'],
        rows: all.map(({ label, value, unit, from }) => [
          label,
          unit === 'money' ? shownMoney(value) : `${shown(value, 6)} ${unit}`.trim(),
          from,
        ]),
      },
    ],
    notes: [],
  };
}
