import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Assessment } from '../../../assess/assessment';
import { columnsOf, wrapped } from '../../../assess/columns';
import type { PersonalField } from '../../../assess/privacy';
import { htmlReport } from '../../../assess/report-html';
import { ReportLanguage, type Catalogue } from '../../../assess/report-language';
import { environmentLanguage, loadLanguage, REPORT_LANGUAGES } from '../../../assess/report-languages';
import { textReport } from '../../../assess/report-text';
import { assessed, message, simulated, START } from './support';

const LOCALES = join(__dirname, '..', '..', '..', '..', 'locales');
const CODES = [
  ...['DECODE', 'SCHEMA', 'NO_CHANNELS', 'NOT_FINITE', 'RANGE', 'TIMESTAMP', 'TOO_LARGE'],
  ...['SOURCE_LIMIT', 'DUPLICATE', 'UNHEARD_OF'],
];
const KINDS = ['name', 'email', 'phone', 'person-id', 'location', 'birth', 'address'] as const;
/** What a report says in every language: the sample's own names, codes, properties, and units. */
const SAMPLE_WORDS = [
  ...['line', 'ndjson', 'millwright', 'assess', 'test', 'plant', 'cnc', 'telemetry', 'topic', 'payload'],
  ...['drop', 'hash', 'operatorName', 'air', 'process', 'temperature', 'rotational', 'speed', 'torque'],
  ...['tool', 'wear', 'type', 'coolant', 'pressure', 'spindle', 'current', 'vibration'],
];

/** Assessments that together have every sentence that there is. */
function everyKind(): Assessment[] {
  const usual = assessed(
    simulated(3, 40).map(({ topic, payload, at }) =>
      message(topic, { ...(payload as object), operatorName: 'Anna Schmidt' }, at),
    ),
    { given: { sources: 3 }, uncounted: 3, now: START },
  );
  const personal = KINDS.map((kind): PersonalField => {
    return { path: 'payload.operatorName', kind, because: 'value', messages: 3, suggestion: 'hash' };
  });
  const unread = assessed([message('', 'on', START), message('', 'off', START + 1000)]);
  const large = { p50: 2e3, p95: 2e6, max: 2e9 };
  const huge: Assessment = {
    ...usual,
    traffic: { ...usual.traffic, topics: 1, bytesPerDay: 2e12, bytesPerSecond: 2e15, size: large },
    kept: { messages: 1, topics: 1, uncounted: 1 },
    decoded: {
      ...usual.decoded,
      sources: usual.decoded.sources.slice(0, 1),
      refusals: CODES.flatMap((code) => [1, 2].map((count) => ({ code, count, message: code }))),
    },
    best: usual.best && { ...usual.best, bytesOut: usual.best.bytesIn },
    personal: [...personal, { ...personal[0], path: 'topic', because: 'name', suggestion: 'drop' }],
    machine: { ...usual.machine, cores: 1 },
    timings: { ...usual.timings, forest: undefined },
    capacity: { ...usual.capacity, carries: false, sources: 1, mostSources: 1 },
    latency: { ...usual.latency, edgeMs: 2e3, edgeMeets: false, cloudMeets: false },
    money: {
      ...usual.money,
      cases: usual.money.cases.map((one, index) => ({ ...one, benefit: 10, months: 1 + index })),
    },
    assumptions: usual.assumptions.map((one, index) => ({ ...one, from: index === 0 ? 'default' : 'given' })),
  };
  return [
    usual,
    huge,
    {
      ...usual,
      personal: [],
      best: usual.best && { ...usual.best, bytesOut: usual.best.bytesIn / 5 },
      latency: { ...usual.latency, edgeMs: 0.1, edgeMeets: true, cloudMeets: true },
      assumptions: usual.assumptions.map((one) => ({ ...one, from: 'measured' })),
    },
    { ...usual, personal: personal.slice(0, 1), latency: { ...usual.latency, edgeMeets: true } },
    { ...unread, decoded: { ...unread.decoded, refusals: [] } },
  ];
}

/** What a reader sees and hears of all reports. */
function everythingSaid(language: ReportLanguage): string {
  return everyKind()
    .flatMap((assessment) => [
      textReport(assessment, language),
      htmlReport(assessment, language)
        .replace(/<style>.*?<\/style>/s, '')
        .replace(/<[^>]*?(?: aria-label="([^"]*)")?>/g, ' $1 '),
    ])
    .join('\n');
}

function catalogue(tag: string): Catalogue {
  const file = readFileSync(join(LOCALES, tag, 'assessment.json'), 'utf8');
  return (JSON.parse(file) as { assessment: Catalogue }).assessment;
}

/** The same catalogue with each text changed. */
function changed(texts: Catalogue, change: (text: string, key: string) => string, prefix = ''): Catalogue {
  return Object.fromEntries(
    Object.entries(texts).map(([name, inner]) => [
      name,
      typeof inner === 'string'
        ? change(inner, `${prefix}${name}`)
        : changed(inner, change, `${prefix}${name}.`),
    ]),
  );
}

test('there are reports in the languages of the editor', () => {
  const folders = readdirSync(LOCALES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.deepEqual(folders.map(({ name }) => name).sort(), [...REPORT_LANGUAGES].sort());
});

test('every word of a report is in the catalogue, and every text of the catalogue is in a report', () => {
  const unsaid = new Set<string>();
  const marked = changed(catalogue('en-US'), (text, key) => {
    unsaid.add(key);
    // No letter is left of the text itself; the mark tells which it was.
    return `${text.replace(/__\w+?__|\p{L}/gu, (part) => (part.length > 1 ? part : '·'))}⟦${key}⟧`;
  });
  // Greek has no Latin letter in its dates and lists, and one and many.
  const said = everythingSaid(new ReportLanguage('el', marked));
  for (const [, key] of said.matchAll(/⟦(.*?)⟧/g)) {
    unsaid.delete(key);
  }
  const words = said.replace(/⟦.*?⟧/g, ' ').match(/[A-Za-z]{2,}/g) ?? [];
  const known = new Set([...SAMPLE_WORDS, ...CODES.flatMap((code) => code.split('_'))]);
  assert.deepEqual(
    [...new Set(words)].filter((word) => !known.has(word)),
    [],
  );
  assert.deepEqual([...unsaid], []);
});

for (const tag of REPORT_LANGUAGES) {
  test(`a report in ${tag} is whole, and says which language it is in`, () => {
    const language = loadLanguage(tag);
    const said = everythingSaid(language);
    assert.doesNotMatch(said, /__|undefined|NaN/);
    assert.ok(said.includes(language.text('capacity.title')));
    assert.ok(htmlReport(everyKind()[0], language).startsWith(`<!doctype html>\n<html lang="${tag}">`));
  });
}

test('numbers, amounts, dates and one and many are written as the language does', () => {
  const shown = (tag: string): string[] => {
    const language = loadLanguage(tag);
    return [
      ...[language.number(1234.5, 6), language.money(1500), language.size(2.5e6), language.date(START)],
      ...[1, 2].map((count) => language.counted('count.messages', count)),
    ].map((text) => text.replace(/[\u00a0\u202f]/g, ' '));
  };
  assert.deepEqual(shown('en-US'), [
    ...['1,234.5', '1,500', '2.5 MB', 'January 1, 2026 at 12:00 AM', '1 message', '2 messages'],
  ]);
  assert.deepEqual(shown('de'), [
    ...['1.234,5', '1.500', '2,5 MB', '1. Januar 2026 um 00:00', '1 Nachricht', '2 Nachrichten'],
  ]);
  assert.deepEqual(shown('fr'), [
    ...['1 234,5', '1 500', '2,5 Mo', '1 janvier 2026 à 00:00', '1 message', '2 messages'],
  ]);
  assert.deepEqual(shown('ja'), [
    ...['1,234.5', '1,500', '2.5 MB', '2026年1月1日 0:00', 'メッセージ1件', 'メッセージ2件'],
  ]);
});

test("the environment's language is the first that is set, in the nearest that there is", () => {
  const cases: [environment: Record<string, string>, tag: string][] = [
    [{}, 'en-US'],
    [{ LANG: 'C.UTF-8' }, 'en-US'],
    [{ LANG: 'de_AT.UTF-8@euro' }, 'de'],
    [{ LANG: 'pt' }, 'pt-BR'],
    [{ LANG: 'zh_TW.UTF-8' }, 'en-US'],
    [{ LANG: 'zh_SG.UTF-8' }, 'zh-CN'],
    [{ LC_ALL: 'ko_KR', LC_MESSAGES: 'ja_JP', LANG: 'fr_FR' }, 'ko'],
    [{ LC_ALL: '', LC_MESSAGES: 'ja_JP', LANG: 'fr_FR' }, 'ja'],
    [{ LC_ALL: 'POSIX', LANG: 'fr_FR' }, 'en-US'],
    [{ LANG: 'no such!' }, 'en-US'],
  ];
  for (const [environment, tag] of cases) {
    assert.equal(environmentLanguage(environment), tag, JSON.stringify(environment));
  }
});

test('a text for a terminal keeps within its columns in every language, and loses nothing', () => {
  for (const tag of REPORT_LANGUAGES) {
    const language = loadLanguage(tag);
    for (const key of ['reduction.span', 'reduction.whole', 'capacity.others']) {
      const lines = wrapped(language.text(key), { tag, width: 40, indent: '  ' });
      assert.ok(lines.length > 2, `${tag}: ${key}`);
      for (const line of lines) {
        assert.ok(columnsOf(line) <= 40 && line.startsWith('  '), `${tag}: ${line}`);
        assert.doesNotMatch(line, /^ *[、。，：）」]|[（「]$/, `${tag}: ${line}`);
      }
      assert.equal(lines.join('').replace(/\s/g, ''), language.text(key).replace(/\s/g, ''));
    }
  }
});
