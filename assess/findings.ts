import type { Assessment } from './assessment';
import type { Chapter, Row } from './chapter';
import { FREE_CORE, FREE_MEMORY, SOURCE_BYTES } from './capacity';
import { moneyChapter } from './money-findings';
import { NAME_RULES, VALUE_RULES, type Kind } from './privacy';
import { reductionChapter } from './reduction-findings';
import type { ReportLanguage } from './report-language';

/** Everything that a report says, chapter by chapter. */
export function chaptersOf(assessment: Assessment, language: ReportLanguage): Chapter[] {
  return [
    traffic(assessment, language),
    reductionChapter(assessment, language),
    personal(assessment, language),
    capacity(assessment, language),
    latency(assessment, language),
    moneyChapter(assessment, language),
    assumptions(assessment, language),
  ];
}

function traffic({ traffic: seen, kept }: Assessment, language: ReportLanguage): Chapter {
  const { messagesPerSecond, bytesPerSecond, size } = seen;
  const text = (key: string, values?: Record<string, string>): string =>
    language.text(`traffic.${key}`, values);
  return {
    id: 'traffic',
    title: text('title'),
    verdict: text('verdict', {
      rate: language.unit('messages-per-second', messagesPerSecond),
      topics: language.counted('count.topics', seen.topics),
      size: language.size(seen.bytesPerDay),
    }),
    rows: [
      [
        text('listened'),
        text('listened-value', {
          seconds: language.text('unit.seconds', { value: language.count(seen.seconds) }),
          messages: language.counted('count.messages', seen.messages),
        }),
      ],
      [
        text('rate'),
        text('rate-value', {
          rate: language.number(messagesPerSecond),
          peak: language.number(seen.peakPerSecond),
        }),
      ],
      [text('bytes'), language.size(bytesPerSecond)],
      [
        text('size'),
        text('size-value', {
          ...{ p50: language.size(size.p50), p95: language.size(size.p95), max: language.size(size.max) },
        }),
      ],
    ],
    tables: [
      {
        header: ['pattern', 'count', 'rate', 'day', 'message'].map((column) => text(`column.${column}`)),
        rows: seen.patterns.map(({ pattern, topics, messages, bytes }) => [
          pattern || text('no-topic'),
          language.count(topics),
          language.number(messages / seen.seconds),
          language.size((bytes / seen.seconds) * 86_400),
          language.size(bytes / messages),
        ]),
      },
    ],
    notes: [
      ...(kept.uncounted > 0 ? [language.counted('traffic.uncounted', kept.uncounted)] : []),
      ...(kept.messages < seen.messages
        ? [
            text('partial', {
              messages: language.counted('count.messages', kept.messages),
              topics: language.counted('count.topics', kept.topics),
            }),
          ]
        : []),
    ],
  };
}

function personal({ personal: fields }: Assessment, language: ReportLanguage): Chapter {
  const text = (key: string, values?: Record<string, string>): string =>
    language.text(`personal.${key}`, values);
  const kinds = (rules: readonly { kind: Kind }[]): string =>
    language.list(rules.map(({ kind }) => text(`kind.${kind}`)));
  const header = ['field', 'kind', 'because', 'messages', 'suggestion'].map((name) => text(`column.${name}`));
  return {
    id: 'personal',
    title: text('title'),
    verdict: fields.length === 0 ? text('none') : language.counted('personal.found', fields.length),
    good: fields.length === 0,
    rows: [],
    tables:
      fields.length === 0
        ? []
        : [
            {
              header,
              rows: fields.map(({ path, kind, because, messages, suggestion }) => [
                ...[path, text(`kind.${kind}`), text(`because.${because}`), language.count(messages)],
                path === 'topic' ? text('topics') : suggestion,
              ]),
            },
          ],
    notes: [text('heuristics', { names: kinds(NAME_RULES), shapes: kinds(VALUE_RULES) }), text('no-value')],
  };
}

function capacity(assessment: Assessment, language: ReportLanguage): Chapter {
  const { capacity: found } = assessment;
  const text = (key: string, values?: Record<string, string>): string =>
    language.text(`capacity.${key}`, values);
  return {
    id: 'capacity',
    title: text('title'),
    verdict: text(found.carries ? 'carries' : 'overloaded', {
      sources: language.counted('count.sources', found.sources),
      load: language.percent(found.load),
      memory: language.size(found.memoryBytes),
    }),
    good: found.carries,
    rows: capacityRows(assessment, language),
    tables: [],
    notes: [
      text('carried', {
        ...{ core: language.percent(FREE_CORE), memory: language.percent(FREE_MEMORY) },
        source: language.size(SOURCE_BYTES),
      }),
      text('others'),
    ],
  };
}

function capacityRows({ capacity: found, timings, machine }: Assessment, language: ReportLanguage): Row[] {
  const { ingest, forest } = timings;
  const text = (key: string, values?: Record<string, string>): string =>
    language.text(`capacity.${key}`, values);
  const timing = ({ meanMs, readings }: typeof ingest): string =>
    text('timing', { time: language.duration(meanMs), count: language.count(readings) });
  return [
    [
      text('machine'),
      text('machine-value', {
        processor: machine.processor,
        cores: language.counted('count.cores', machine.cores),
        memory: language.size(machine.memoryBytes),
      }),
    ],
    [text('ingest'), timing(ingest)],
    [text('forest'), forest ? timing(forest) : text('not-measured')],
    [
      text('load'),
      text('load-value', {
        rate: language.unit('readings-per-second', found.readingsPerSecond),
        load: language.percent(found.load),
      }),
    ],
    [
      text('memory'),
      text('memory-value', {
        used: language.size(found.memoryBytes),
        all: language.size(found.machineMemoryBytes),
      }),
    ],
    [text('most'), language.counted('capacity.most-value', found.mostSources)],
  ];
}

function latency({ latency: found }: Assessment, language: ReportLanguage): Chapter {
  const { edgeMs, cloudMs, targetMs, edgeMeets, cloudMeets } = found;
  const text = (key: string, values?: Record<string, string>): string =>
    language.text(`latency.${key}`, values);
  // The way by the cloud begins with the work at the edge, and never takes less.
  const verdict = cloudMeets ? 'both-meet' : edgeMeets ? 'edge-meets' : 'both-miss';
  return {
    id: 'latency',
    title: text('title'),
    verdict: text(verdict, { target: language.duration(targetMs) }),
    good: edgeMeets,
    rows: [
      [text('edge'), text('edge-value', { time: language.duration(edgeMs) })],
      [text('cloud'), text('cloud-value', { time: language.duration(cloudMs) })],
    ],
    tables: [],
    notes: [text('note')],
  };
}

function assumptions({ assumptions: all }: Assessment, language: ReportLanguage): Chapter {
  const text = (key: string): string => language.text(`assumptions.${key}`);
  const defaults = all.filter(({ from }) => from === 'default').length;
  return {
    id: 'assumptions',
    title: text('title'),
    verdict:
      defaults === 0
        ? text('none')
        : language.counted('assumptions.some', defaults, { all: language.count(all.length) }),
    rows: [],
    tables: [
      {
        header: ['label', 'value', 'from'].map((column) => text(`column.${column}`)),
        rows: all.map(({ name, value, unit, from }) => [
          text(`label.${name}`),
          unit === 'money'
            ? language.money(value)
            : unit === 'number'
              ? language.number(value, 6)
              : language.unit(unit, value, 6),
          text(`from.${from}`),
        ]),
      },
    ],
    notes: [],
  };
}
