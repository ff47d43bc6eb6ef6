/** East Asian characters, kana, Hangul and full-width forms take two columns of a terminal. */
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/g;
/** What may not begin a line. */
const CLINGS = /^[\s\p{Pe}\p{Pf}\p{Po}ー]/u;
/** What may not end one. */
const OPENS = /[\p{Ps}\p{Pi}]$/u;

/** How many columns of a terminal a text takes. */
export function columnsOf(text: string): number {
  return Array.from(text).length + (text.match(WIDE)?.length ?? 0);
}

/** @param where the spaces go */
export function padded(text: string, columns: number, where: 'start' | 'end'): string {
  const spaces = ' '.repeat(Math.max(0, columns - columnsOf(text)));
  return where === 'end' ? text + spaces : spaces + text;
}

/** Lines of a text: broken at spaces, and between words where the language writes none. */
export function wrapped(
  text: string,
  { tag, width, indent }: { tag: string; width: number; indent: string },
): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const piece of pieces(text, tag)) {
    if (columnsOf(line + piece.trimEnd()) > width && line.trim() !== '') {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += piece;
  }
  return [...lines, line.trimEnd()];
}

/** Parts of a text that stay whole, each with the space behind it. */
function pieces(text: string, tag: string): string[] {
  const words = [...new Intl.Segmenter(tag, { granularity: 'word' }).segment(text)];
  const joined: string[] = [];
  for (const { segment } of words) {
    const before = joined.at(-1);
    if (before !== undefined && !mayBreak(before, segment)) {
      joined[joined.length - 1] = before + segment;
    } else {
      joined.push(segment);
    }
  }
  return joined;
}

function mayBreak(before: string, after: string): boolean {
  if (CLINGS.test(after)) {
    return false;
  }
  const isBetweenWide = columnsOf(before.slice(-1)) === 2 && columnsOf(after.slice(0, 1)) === 2;
  return before.endsWith(' ') || (isBetweenWide && !OPENS.test(before));
}
