import type { Assessment } from './assessment';
import { chaptersOf, type Chapter } from './findings';

const WIDTH = 100;

/** The report for a terminal. */
export function textReport(assessment: Assessment): string {
  const { origin, madeAt } = assessment;
  const head = [`Assessment of ${origin}`, `made ${new Date(madeAt).toISOString()}`];
  return `${[...head, ...chaptersOf(assessment).flatMap(chapterLines)].join('\n')}\n`;
}

function chapterLines({ title, verdict, rows, tables, notes }: Chapter): string[] {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return [
    '',
    title.toUpperCase(),
    ...wrapped(verdict, ''),
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    ...tables.flatMap(({ header, rows: cells }) => ['', ...tableLines([header, ...cells])]),
    ...notes.flatMap((note) => wrapped(note, '  ')),
  ];
}

function tableLines(rows: readonly string[][]): string[] {
  const widths = rows[0].map((_cell, column) => Math.max(...rows.map((cells) => cells[column].length)));
  return rows.map((cells) =>
    `  ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('  ')}`.trimEnd(),
  );
}

function wrapped(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(' ')) {
    if (line.length + word.length + 1 > WIDTH && line.trim() !== '') {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()];
}
