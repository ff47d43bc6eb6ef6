import { EdgeError } from '../../shared/errors';
import { excerpt } from '../../shared/text';

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const DECIMAL_COMMA = /^[+-]?\d*,\d+$/;

/**
 * Reads comma-, semicolon- or tab-separated values (RFC 4180). The first line is a header when it has text and no
 * number; rows are then objects, else lists. Where semicolons separate, `21,5` is a number. Empty cells are left out
 * of objects and stay empty texts in lists; cells that are no number stay texts.
 *
 * @returns one row's object or list, or the list of them when there are several lines
 * @throws EdgeError `DECODE` for unbalanced quotes, no rows, or a row that does not fit its header
 */
export function parseCsv(text: string, maxRows: number): unknown {
  const separator = separatorOf(text);
  const lines = cellsOf(text, separator, maxRows + 1);
  const [first] = lines;
  if (lines.length === 0) {
    throw new EdgeError('DECODE', 'The payload has no CSV rows. Send at least one line of values.');
  }
  const numberOf = (cell: string): number => toNumber(cell, separator);
  const isHeader = first.every((cell) => Number.isNaN(numberOf(cell))) && first.some((cell) => cell !== '');
  if (!isHeader) {
    const rows = lines.map((cells) => cells.map((cell) => valueOf(cell, numberOf(cell))));
    return rows.length === 1 ? rows[0] : rows;
  }
  const names = first.map((name) => name.trim());
  const repeated = names.find((name, index) => name !== '' && names.indexOf(name) !== index);
  if (repeated !== undefined) {
    throw new EdgeError(
      'DECODE',
      `The CSV header names "${excerpt(repeated)}" twice. Name each column once.`,
    );
  }
  const rows = lines.slice(1).map((cells, index) => {
    if (cells.length !== names.length) {
      throw new EdgeError(
        'DECODE',
        `CSV row ${index + 1} has ${cells.length} values, but the header names ${names.length}. Correct the sender.`,
      );
    }
    return Object.fromEntries(
      cells
        .map((cell, column): [string, unknown] => [names[column], valueOf(cell, numberOf(cell))])
        .filter(([name, value]) => name !== '' && value !== ''),
    );
  });
  if (rows.length === 0) {
    throw new EdgeError(
      'DECODE',
      `The payload "${excerpt(text.trim())}" is a CSV header without rows, or no CSV. Send the values with it.`,
    );
  }
  return rows.length === 1 ? rows[0] : rows;
}

function valueOf(cell: string, number: number): unknown {
  return Number.isNaN(number) ? cell : number;
}

function toNumber(cell: string, separator: string): number {
  if (NUMBER.test(cell)) {
    return Number(cell);
  }
  return separator === ';' && DECIMAL_COMMA.test(cell) ? Number(cell.replace(',', '.')) : NaN;
}

function separatorOf(text: string): string {
  const end = text.search(/[\r\n]/);
  const line = (end < 0 ? text : text.slice(0, end)).replace(/"[^"]*"/g, '');
  return line.includes(';') ? ';' : line.includes('\t') ? '\t' : ',';
}

function cellsOf(text: string, separator: string, maxLines: number): string[][] {
  const lines: string[][] = [];
  let cells: string[] = [];
  let at = 0;
  while (at < text.length) {
    let cell: string;
    if (text[at] === '"') {
      [cell, at] = quotedCell(text, at);
    } else {
      const start = at;
      while (at < text.length && text[at] !== separator && text[at] !== '\n' && text[at] !== '\r') {
        at++;
      }
      cell = text.slice(start, at).trim();
    }
    cells.push(cell);
    if (at < text.length && text[at] === separator) {
      at++;
      if (at === text.length || text[at] === '\n' || text[at] === '\r') {
        cells.push('');
      } else {
        continue;
      }
    }
    if (at < text.length && text[at] !== '\n' && text[at] !== '\r') {
      throw new EdgeError('DECODE', 'A quoted CSV value is followed by other text. Correct the sender.');
    }
    while (at < text.length && (text[at] === '\n' || text[at] === '\r')) {
      at++;
    }
    if (cells.length > 1 || cells[0] !== '') {
      lines.push(cells);
    }
    cells = [];
    if (lines.length > maxLines) {
      throw new EdgeError(
        'TOO_LARGE',
        `The payload has more than ${maxLines - 1} CSV rows. Send fewer at once.`,
      );
    }
  }
  return lines;
}

function quotedCell(text: string, start: number): [string, number] {
  let cell = '';
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) {
      throw new EdgeError('DECODE', 'A CSV value opens a quote that is never closed. Correct the sender.');
    }
    cell += text.slice(at, quote);
    if (text[quote + 1] !== '"') {
      return [cell, quote + 1];
    }
    cell += '"';
    at = quote + 2;
  }
}
