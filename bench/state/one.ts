/** One library in a process of its own: prints what it took as JSON. Started by state.ts. */
import type { MakeContestant } from './contestant';
import { bare, hosted, stored } from './ours';
import { automerge, loro, tinybase, yjsEvents, yjsVectors } from './peers';
import { measure, type Work } from './workload';

const MAKERS: Record<string, MakeContestant> = {
  bare,
  hosted,
  stored,
  yjsEvents,
  yjsVectors,
  loro,
  tinybase,
  automerge,
};

async function main(): Promise<void> {
  const [name, folder, work] = process.argv.slice(2);
  console.log(JSON.stringify(await measure(MAKERS[name], folder, JSON.parse(work) as Work)));
}

void main();
