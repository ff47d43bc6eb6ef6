import type { Findings } from './workload';

export interface Result {
  name: string;
  findings: Findings;
}

/** One aim, what was measured, and whether it was reached. */
export interface Verdict {
  aim: string;
  measured: string;
  reached: boolean | undefined;
}

/** What replicated state is asked to be, beside the others of the same run. */
export function judge(own: Findings, others: ReadonlyMap<string, Findings>): Verdict[] {
  const yjs = [others.get('yjsEvents'), others.get('yjsVectors')].filter((each) => each !== undefined);
  const quickest = (all: readonly Findings[]): number => Math.min(...all.map(({ cpuMicros }) => cpuMicros));
  const faster = (
    name: string,
    all: (Findings | undefined)[],
    times: number,
    ours: readonly Findings[] = [own],
  ): Verdict => {
    const found = all.filter((each) => each !== undefined);
    return atLeast(
      `${times} × the updates/s of ${name}`,
      Math.min(found.length, ours.length),
      quickest(found) / quickest(ours),
      times,
    );
  };
  const least = (figure: (findings: Findings) => number): number => Math.min(...yjs.map(figure));
  const missed = own.healed.at(1)?.missed ?? 0;
  const healed = ({ healed }: Findings): number => healed.at(1)?.bytes ?? Infinity;
  const healings = own.healed.map(({ bytes }) => bytes);
  const single = [others.get('bareEach')].filter((each) => each !== undefined);
  return [
    faster('Yjs', yjs, 4),
    faster('Loro', [others.get('loro')], 9),
    faster('TinyBase', [others.get('tinybase')], 9),
    faster('Yjs, a transaction an update in both', [others.get('yjsEach')], 4, single),
    faster('Loro, a transaction an update in both', [others.get('loroEach')], 9, single),
    faster('TinyBase, a transaction an update in both', [others.get('tinybaseEach')], 9, single),
    atMost('0.7 × the bytes an update of Yjs', yjs.length, own.bytes / least(({ bytes }) => bytes), 0.7),
    atMost('1/8 of the state of Yjs', yjs.length, own.stateBytes / least((each) => each.stateBytes), 1 / 8),
    atMost(
      `1.1 × the heap after ${own.updates}, after ${own.heapUpdates ?? 0}`,
      own.heapLaterMB === undefined ? 0 : 1,
      (own.heapLaterMB ?? NaN) / own.heapMB,
      1.1,
    ),
    atMost(
      `0.5 × the bytes of Yjs to heal after ${missed} missed`,
      yjs.length,
      healed(own) / least(healed),
      0.5,
    ),
    atMost(
      `as many bytes to heal after ${own.healed.at(-1)?.missed} missed as after ${missed} (1.1 ×)`,
      healings.length,
      (healings.at(-1) ?? NaN) / healed(own),
      1.1,
    ),
  ];
}

function atLeast(what: string, known: number, ratio: number, times: number): Verdict {
  return verdict(`at least ${what}`, known, ratio, ratio >= times);
}

function atMost(what: string, known: number, ratio: number, times: number): Verdict {
  return verdict(`at most ${what}`, known, ratio, ratio <= times);
}

function verdict(aim: string, known: number, ratio: number, reached: boolean): Verdict {
  return known > 0
    ? { aim, measured: `${ratio.toFixed(ratio < 1 ? 3 : 2)} ×`, reached }
    : { aim, measured: 'not measured', reached: undefined };
}
