import type { Assessment } from './assessment';
import type { Chapter } from './chapter';
import type { Refusal, SettingResult } from './reduction';
import type { ReportLanguage } from './report-language';

/** A reduction by less is none. */
const HARDLY = 0.05;
const REASONS = new Set([
  ...['DECODE', 'SCHEMA', 'NO_CHANNELS', 'NOT_FINITE', 'RANGE', 'TIMESTAMP'],
  ...['TOO_LARGE', 'SOURCE_LIMIT', 'DUPLICATE'],
]);

/** A setting in words, such as `swinging door at 1 %`. */
export function settingName({ kind, tolerance }: SettingResult, language: ReportLanguage): string {
  return language.text('reduction.setting', {
    kind: language.text(`reduction.kind.${kind}`),
    tolerance: language.unit('percent', tolerance),
  });
}

/** What reducing the stream would keep. */
export function reductionChapter(assessment: Assessment, language: ReportLanguage): Chapter {
  const { decoded, settings, best } = assessment;
  const text = (key: string, values?: Record<string, string>): string =>
    language.text(`reduction.${key}`, values);
  const refused = decoded.refusals.map((refusal) => refusalNote(refusal, language));
  const chapter = { id: 'reduction', title: text('title') } as const;
  if (!best) {
    return { ...chapter, verdict: text('nothing'), good: false, rows: [], tables: [], notes: refused };
  }
  const share = best.bytesOut / best.bytesIn;
  return {
    ...chapter,
    verdict:
      1 - share < HARDLY
        ? text('hardly', { tolerance: language.unit('percent', best.tolerance) })
        : text('verdict', {
            setting: settingName(best, language),
            share: language.percent(share),
            error: language.unit('percent', best.maxError),
          }),
    rows: [
      [
        text('readings'),
        text('readings-value', {
          readings: language.count(decoded.readings),
          sources: language.counted('count.sources', decoded.sources.length),
        }),
      ],
      [
        text('channels'),
        text('channels-value', {
          channels: language.count(decoded.channels.length),
          perReading: language.number(decoded.channelsPerReading),
        }),
      ],
    ],
    tables: [
      {
        header: ['setting', 'points', 'bytes', 'share', 'day', 'error'].map((name) => text(`column.${name}`)),
        rows: settings.map((setting) => settingRow(setting, assessment, language)),
      },
      channelTable(assessment, best, language),
    ],
    notes: [text('span'), text('whole'), ...refused],
  };
}

function settingRow(
  setting: SettingResult,
  { decoded, traffic }: Assessment,
  language: ReportLanguage,
): string[] {
  const { pointsIn, pointsOut, bytesIn, bytesOut, maxError } = setting;
  // How long it took for so many readings to come, were all kept messages all that came.
  const share = decoded.readings === 0 ? 1 : pointsIn / decoded.readings;
  const seconds = Math.max(traffic.seconds * share, 0.001);
  const part = (some: string, whole: string): string =>
    language.text('reduction.part', { part: some, whole });
  return [
    settingName(setting, language),
    part(language.count(pointsOut), language.count(pointsIn)),
    part(language.size(bytesOut), language.size(bytesIn)),
    language.percent(bytesOut / bytesIn),
    language.size((bytesOut / seconds) * 86_400),
    language.unit('percent', maxError),
  ];
}

function channelTable(
  { channels }: Assessment,
  best: SettingResult,
  language: ReportLanguage,
): Chapter['tables'][number] {
  const text = (key: string, values?: Record<string, string>): string =>
    language.text(`reduction.column.${key}`, values);
  return {
    header: [
      text('channel', { setting: settingName(best, language) }),
      ...['lowest', 'highest', 'points'].map((name) => text(name)),
    ],
    rows: channels.map(({ name, min, max, share }) => [
      ...[name, language.number(min, 6), language.number(max, 6)],
      language.percent(share),
    ]),
  };
}

function refusalNote({ code, count, message }: Refusal, language: ReportLanguage): string {
  const reason = language.text(`reduction.reason.${REASONS.has(code) ? code : 'other'}`);
  return language.counted('reduction.refused', count, { code, reason, message });
}
