import type { Assessment } from './assessment';
import type { Chapter } from './chapter';
import { columnsOf, padded, wrapped } from './columns';
import { chaptersOf } from './findings';
import type { ReportLanguage } from './report-language';

const WIDTH = 100;

/** The report for a terminal. */
export function textReport(assessment: Assessment, language: ReportLanguage): string {
  const { origin, madeAt } = assessment;
  const head = [language.text('title', { origin }), language.text('made', { date: language.date(madeAt) })];
  const chapters = chaptersOf(assessment, language);
  return `${[...head, ...chapters.flatMap((chapter) => chapterLines(chapter, language.tag))].join('\n')}\n`;
}

function chapterLines({ title, verdict, rows, tables, notes }: Chapter, tag: string): string[] {
  const width = Math.max(0, ...rows.map(([name]) => columnsOf(name)));
  return [
    '',
    title.toLocaleUpperCase(tag),
    ...wrapped(verdict, { tag, width: WIDTH, indent: '' }),
    ...rows.map(([name, value]) => `  ${padded(name, width, 'end')}  ${value}`),
    ...tables.flatMap(({ header, rows: cells }) => ['', ...tableLines([header, ...cells])]),
    ...notes.flatMap((note) => wrapped(note, { tag, width: WIDTH, indent: '  ' })),
  ];
}

function tableLines(rows: readonly string[][]): string[] {
  const widths = rows[0].map((_cell, column) => Math.max(...rows.map((cells) => columnsOf(cells[column]))));
  return rows.map((cells) =>
    `  ${cells.map((cell, column) => padded(cell, widths[column], column === 0 ? 'end' : 'start')).join('  ')}`.trimEnd(),
  );
}
