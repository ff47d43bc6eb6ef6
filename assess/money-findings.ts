import type { Assessment } from './assessment';
import type { Chapter } from './chapter';
import type { Flow, PaybackCase } from './money';
import type { ReportLanguage } from './report-language';

const COLUMNS = ['once', 'cloudSaved', 'downtimeAvoided', 'falseAlarms', 'upkeep', 'benefit'] as const;
const COSTS = new Set<(typeof COLUMNS)[number]>(['falseAlarms', 'upkeep']);

/** A case of the return in words. */
export function caseName({ name }: PaybackCase, language: ReportLanguage): string {
  return language.text(`money.case.${name}`);
}

/** Months to pay back in words. */
export function shownMonths(months: number | null, language: ReportLanguage): string {
  return months === null
    ? language.text('money.never')
    : language.counted('count.months', months, { count: language.number(months) });
}

/** Whether the gateway pays for itself, and when. */
export function moneyChapter({ money, assumptions, flow }: Assessment, language: ReportLanguage): Chapter {
  const [expected] = money.cases;
  const isGiven = assumptions.some(({ name, from }) => name === 'downtimePerHour' && from === 'given');
  const text = (key: string, values?: Record<string, string>): string =>
    language.text(`money.${key}`, values);
  const monthly = (amount: number, { bytesPerSecond }: Flow): string =>
    text('monthly', { amount: language.money(amount), size: language.size(bytesPerSecond * 86_400) });
  return {
    id: 'money',
    title: text('title'),
    verdict: text('verdict', { months: shownMonths(expected.months, language) }),
    good: expected.months !== null,
    rows: [
      [text('everything'), monthly(money.cloudOnly, flow.all)],
      [text('reduced'), monthly(money.reduced, flow.kept)],
    ],
    tables: [
      {
        header: ['case', ...COLUMNS, 'months'].map((column) => text(`column.${column}`)),
        rows: money.cases.map((one) => [
          caseName(one, language),
          ...COLUMNS.map((column) => language.money(COSTS.has(column) ? -one[column] : one[column])),
          shownMonths(one.months, language),
        ]),
      },
    ],
    notes: [text('currency'), ...(isGiven ? [] : [text('no-downtime')])],
  };
}
