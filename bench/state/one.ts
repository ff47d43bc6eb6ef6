/** One library in a process of its own: prints what it took as JSON. Started by state.ts. */
import type { MakeContestant } from './contestant';
import { bare, bareEach, hosted, stored } from './ours';
import { automerge, loro, tinybase, yjsEvents, yjsVectors } from './peers';
import { measure, type Work } from './workload';

const MAKERS: Record<string, MakeContestant> = {
  bare,
  bareEach,
  hosted,
  stored,
  yjsEvents,
  yjsVectors,
  loro,
  tinybase,
  automerge,
  // A transaction an update.
  yjsEach: (replicas, folder) => yjsEvents(replicas, folder, true),
  loroEach: (replicas, folder) => loro(replicas, folder, true),
  tinybaseEach: (replicas, folder) => tinybase(replicas, folder, true),
};

async function main(): Promise<void> {
  const [name, folder, work] = process.argv.slice(2);
  console.log(JSON.stringify(await measure(MAKERS[name], folder, JSON.parse(work) as Work)));
}

void main();
