import { count, percent } from '../reduction/figures';
import { table } from '../table';
import { foreignTypes, type TestCase } from './case-files';
import type { Outcome } from './check';
import { failureText, reasonOf, REASONS, type Reason } from './explain';

export type Result = Outcome | { kind: 'crash' | 'late'; reason: string };

/** What became of one case. */
export interface Report {
  test: TestCase;
  /** Highest of its tensors; undefined where it has others. */
  rank: number | undefined;
  /** `pass`, or why not; undefined where Python's results are not there. */
  python: string | undefined;
  runtime: Result;
  /** Undefined where it does not pass in the runtime. */
  node: Result | undefined;
}

type Level = 'runtime' | 'node';
type Belongs = (report: Report) => boolean;

const passesPython: Belongs = ({ python }) => python === 'pass';
const passesRuntime: Belongs = ({ runtime }) => runtime.kind === 'pass';
const isPlanned: Belongs = ({ node }) => node !== undefined && (node.kind !== 'apart' || node.isPlanned);
const isServed: Belongs = ({ node }) => node !== undefined && node.kind !== 'apart';
const passesNode: Belongs = ({ node }) => node?.kind === 'pass';

/** Prints tables and lists; returns how many cases nothing explains. */
export function print(reports: readonly Report[]): number {
  const carried = reports.filter(({ test }) => foreignTypes(test).length === 0);
  const served = reports.filter(isServed);
  const rate = (title: string, all: readonly Report[], passes: Belongs): string[] => {
    const passed = all.filter(passes).length;
    return [
      title,
      count(all.length),
      count(passed),
      all.length > 0 ? percent((100 * passed) / all.length) : '',
    ];
  };
  const rates = [
    rate('runtime: all', reports, passesRuntime),
    rate('runtime: types that the backend carries', carried, passesRuntime),
    rate('runtime: what Python passes', reports.filter(passesPython), passesRuntime),
    rate('runtime: what Python passes, types carried', carried.filter(passesPython), passesRuntime),
    rate('node: inputs planned', reports.filter(isPlanned), passesNode),
    rate('node: served', served, passesNode),
    rate(
      '… one input',
      served.filter(({ test }) => test.inputs.length === 1),
      passesNode,
    ),
    rate(
      '… several inputs',
      served.filter(({ test }) => test.inputs.length > 1),
      passesNode,
    ),
  ];
  console.log(`\n${table(['cases', 'number', 'pass', 'rate'], rates)}`);
  const tried = served.filter(({ node }) => node?.kind === 'pass' && node.note === 'sample').length;
  console.log(`\n${tried} of those served fail on zeros, and are served with a sample in the card.`);
  split('type of an input or output', reports, typesOf);
  split('highest rank of an input or output', reports, ({ rank }) => [String(rank ?? 'other')]);
  return printReasons('runtime', reports) + printReasons('node', reports);
}

function split(title: string, reports: readonly Report[], keysOf: (report: Report) => string[]): void {
  const keys = [...new Set(reports.flatMap(keysOf))].sort();
  const columns = [passesPython, passesRuntime, isPlanned, isServed, passesNode];
  const rows = keys.map((key) => {
    const own = reports.filter((report) => keysOf(report).includes(key));
    return [key, count(own.length), ...columns.map((belongs) => count(own.filter(belongs).length))];
  });
  const header = [title, 'cases', 'Python', 'runtime', 'node: planned', 'served', 'pass'];
  console.log(`\n${table(header, rows)}`);
}

/** What ONNX calls otherwise, and types of which only the family matters. */
const FAMILIES: readonly (readonly [RegExp, string])[] = [
  [/^float$/, 'float32'],
  [/^double$/, 'float64'],
  [/^(seq|optional)/, 'sequence, optional'],
  [/^u?int[24]$/, '(u)int4, (u)int2'],
  [/^(float[48]|bfloat)/, 'bfloat16, float8, float4'],
];

function typesOf({ test }: Report): string[] {
  const families = [...test.inputs, ...test.outputs].map(
    (type) => FAMILIES.find(([matches]) => matches.test(type))?.[1] ?? type,
  );
  return [...new Set(families)];
}

function printReasons(level: Level, reports: readonly Report[]): number {
  const failed = reports.filter((report) => report[level] && report[level].kind !== 'pass');
  const byReason = new Map<Reason | undefined, Report[]>();
  for (const report of failed) {
    const reason = reasonOf(report, level);
    byReason.set(reason, [...(byReason.get(reason) ?? []), report]);
  }
  const known = REASONS[level].filter((reason) => byReason.has(reason));
  const cells = known.map((reason) => {
    const own = byReason.get(reason) ?? [];
    return [reason.title, count(own.length), count(own.filter(passesPython).length), reason.why];
  });
  console.log(`\n${table([`${level}: does not pass, because`, 'cases', 'Python passes', ''], cells)}`);
  for (const reason of known) {
    const own = byReason.get(reason) ?? [];
    console.log(
      `\n${level}, ${reason.title}:\n  such as: ${failureText(own[0][level] as Result).slice(0, 300)}`,
    );
    for (const passes of [true, false]) {
      const names = own
        .filter((report) => passesPython(report) === passes)
        .map(({ test }) => test.name.slice(5));
      if (names.length > 0) {
        console.log(`  Python ${passes ? 'passes' : 'does not pass either'}: ${names.join(', ')}`);
      }
    }
  }
  const unexplained = byReason.get(undefined) ?? [];
  for (const report of unexplained) {
    console.log(`\nUNEXPLAINED (${level}) ${report.test.name}: ${failureText(report[level] as Result)}`);
  }
  return unexplained.length;
}
