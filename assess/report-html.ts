import type { Assessment } from './assessment';
import type { Chapter } from './chapter';
import { chaptersOf } from './findings';
import { shownMonths } from './money-findings';
import { escaped, keptPlot, paybackLegend, paybackPlot, ratePlot } from './plots';
import { settingName } from './reduction-findings';
import type { ReportLanguage } from './report-language';

const CSS = `
:root { color-scheme: light dark; --ground: #f6f7f9; --card: #fff; --text: #1c2430; --soft: #5b6675; --rule: #dfe3e8; --one: #1f6feb; --two: #b4560e; --three: #7a5195; --good: #1a7f37; --bad: #b42318; }
@media (prefers-color-scheme: dark) { :root { --ground: #14181e; --card: #1d232b; --text: #e6eaf0; --soft: #9aa6b5; --rule: #333c47; --one: #6cb0ff; --two: #f0a35e; --three: #c9a0e8; --good: #57c27a; --bad: #ff8a7a; } }
* { box-sizing: border-box; }
body { background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; margin: 0; }
main { margin: 0 auto; max-width: 860px; padding: 32px 20px 64px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 0 0 4px; }
.made, .note, figcaption { color: var(--soft); font-size: 13px; }
.made { margin: 4px 0 20px; }
.tiles { display: grid; gap: 12px; grid-template-columns: repeat(auto-fit, minmax(240px, 1fr)); margin-bottom: 20px; }
.tile, section { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; }
.tile { padding: 12px 14px; }
.tile span { color: var(--soft); display: block; font-size: 13px; }
.tile strong { display: block; font-size: 21px; font-variant-numeric: tabular-nums; line-height: 1.3; }
section { margin-bottom: 16px; padding: 18px 20px; }
.verdict { font-size: 16px; margin: 0 0 12px; }
.good { color: var(--good); } .bad { color: var(--bad); }
dl { display: grid; gap: 2px 16px; grid-template-columns: max-content 1fr; margin: 0 0 12px; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; margin: 4px 0 12px; width: 100%; }
th { color: var(--soft); font-size: 13px; font-weight: 600; }
th, td { border-bottom: 1px solid var(--rule); padding: 5px 10px 5px 0; text-align: right; vertical-align: top; }
th:first-child, td:first-child { overflow-wrap: anywhere; text-align: left; }
td.word { text-align: left; } th.word { text-align: left; }
tr:last-child td { border-bottom: 0; } td { white-space: nowrap; } td:first-child { min-width: 170px; white-space: normal; }
figure { margin: 12px 0; }
svg { display: block; height: auto; width: 100%; }
svg text { fill: var(--soft); font-size: 12px; }
svg text.strong { fill: var(--text); font-weight: 600; }
.grid { stroke: var(--rule); } .zero { stroke: var(--soft); }
.line { fill: none; stroke-linejoin: round; stroke-width: 2; }
.line.one { stroke: var(--one); } .line.two { stroke: var(--two); stroke-dasharray: 7 4; } .line.three { stroke: var(--three); stroke-dasharray: 2 4; }
.area { fill: var(--one); opacity: .12; }
.bar.one, .dot.one { fill: var(--one); } .bar.two, .dot.two { fill: var(--two); } .dot.three { fill: var(--three); }
.key { display: inline-block; margin-right: 18px; } .key i { border-top: 3px solid; display: inline-block; margin-right: 6px; vertical-align: middle; width: 18px; }
.key .one { border-color: var(--one); } .key .two { border-color: var(--two); border-top-style: dashed; } .key .three { border-color: var(--three); border-top-style: dotted; }
@media print { body { background: #fff; } section { break-inside: avoid; } }
@media (max-width: 560px) { dl { grid-template-columns: 1fr; } dd { margin-bottom: 6px; } }
`;

/** The report as one page that needs nothing else: no script, no font, no picture from anywhere. */
export function htmlReport(assessment: Assessment, language: ReportLanguage): string {
  const { origin, madeAt } = assessment;
  const title = language.text('title', { origin });
  const made = language.text('made', { date: language.date(madeAt) });
  const figures: Partial<Record<Chapter['id'], string>> = {
    traffic: figure(ratePlot(assessment, language), language.text('traffic.plot')),
    reduction: figure(keptPlot(assessment, language), language.text('reduction.plot')),
    money: figure(
      paybackPlot(assessment, language),
      language.text('money.plot'),
      paybackLegend(assessment, language),
    ),
  };
  return `<!doctype html>
<html lang="${language.tag}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(title)}</title>
<style>${CSS}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
<p class="made">${escaped(made)} ${escaped(language.text('made-note'))}</p>
<div class="tiles">${tiles(assessment, language)}</div>
${chaptersOf(assessment, language)
  .map((chapter) => section(chapter, figures[chapter.id] ?? ''))
  .join('\n')}
</main>
</body>
</html>
`;
}

function tiles({ traffic, best, personal, capacity, money }: Assessment, language: ReportLanguage): string {
  const [expected] = money.cases;
  const all: [name: string, value: string, good?: boolean][] = [
    [language.text('traffic.tile.rate'), language.unit('per-second', traffic.messagesPerSecond)],
    [language.text('traffic.tile.day'), language.size(traffic.bytesPerDay)],
    [
      best ? settingName(best, language) : language.text('reduction.title'),
      best
        ? language.text('reduction.keeps', { share: language.percent(best.bytesOut / best.bytesIn) })
        : '–',
    ],
    [
      language.text('personal.title'),
      personal.length === 0
        ? language.text('personal.none-seen')
        : language.counted('count.fields', personal.length),
      personal.length === 0,
    ],
    [language.text('capacity.tile'), language.percent(capacity.load), capacity.carries],
    [language.text('money.tile'), shownMonths(expected.months, language), expected.months !== null],
  ];
  return all
    .map(
      ([name, value, good]) =>
        `<div class="tile"><span>${escaped(name)}</span><strong${mark(good)}>${escaped(value)}</strong></div>`,
    )
    .join('');
}

function section({ id, title, verdict, good, rows, tables, notes }: Chapter, drawn: string): string {
  const facts = rows.map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`).join('');
  return `<section id="${id}">
<h2>${escaped(title)}</h2>
<p class="verdict"><span${mark(good)}>${escaped(verdict)}</span></p>
${facts && `<dl>${facts}</dl>`}${drawn}${tables.map(tableOf).join('')}
${notes.map((note) => `<p class="note">${escaped(note)}</p>`).join('\n')}
</section>`;
}

function tableOf({ header, rows }: Chapter['tables'][number]): string {
  const isWord = header.map(
    (_name, column) => column > 0 && rows.every((cells) => !/\d/.test(cells[column])),
  );
  const cell = (tag: 'th' | 'td', content: string, column: number): string =>
    `<${tag}${isWord[column] ? ' class="word"' : ''}>${escaped(content)}</${tag}>`;
  const line = (tag: 'th' | 'td', cells: readonly string[]): string =>
    `<tr>${cells.map((content, column) => cell(tag, content, column)).join('')}</tr>`;
  return `<div class="wide"><table><thead>${line('th', header)}</thead><tbody>${rows.map((cells) => line('td', cells)).join('')}</tbody></table></div>`;
}

function figure(drawn: string, caption: string, keys: readonly [kind: string, text: string][] = []): string {
  if (drawn === '') {
    return '';
  }
  const legend = keys.map(
    ([kind, text]) => `<span class="key"><i class="${kind}"></i>${escaped(text)}</span>`,
  );
  return `<figure>${drawn}<figcaption>${legend.length > 0 ? `<div>${legend.join('')}</div>` : ''}${escaped(caption)}</figcaption></figure>`;
}

function mark(good: boolean | undefined): string {
  return good === undefined ? '' : ` class="${good ? 'good' : 'bad'}"`;
}
