import { EdgeError } from '../shared/errors';
import type { IsoForestConfig } from './config';
import { SHARED, type NamedForest, type SourceTable } from './source-table';
import type { StateKeeper } from './state-keeper';
import { exportForests, importForests, invalid, type ForestExport } from './transfer';

export type Operation = 'reset' | 'commission' | 'export' | 'import';

/** What the operations work on. */
export interface OperationTools {
  config: IsoForestConfig;
  table: SourceTable;
  keeper: StateKeeper | undefined;
  /** Brings a stored forest back. */
  wake: (key: string) => Promise<void>;
  /** Lets a resumed forest grow its trees. */
  catchUp: (forest: NamedForest) => Promise<void>;
}

const MAX_EXPORT_BYTES = 64 * 1024 * 1024;

/**
 * Carries out a control message.
 *
 * @param source the source in msg.topic; empty = all
 * @returns the answer of `export`; undefined otherwise
 * @throws EdgeError `OPERATION`, `IMPORT_INVALID`, `SOURCE_LIMIT`, `TOO_LARGE`
 */
export async function operate(
  operation: Operation,
  source: string,
  payload: unknown,
  tools: OperationTools,
): Promise<ForestExport | undefined> {
  const { table, keeper } = tools;
  const named = source === '' ? undefined : table.keyOf(source);
  switch (operation) {
    case 'reset': {
      const keys = named === undefined ? everyKey(tools) : [named];
      keys.forEach((key) => table.remove(key));
      await keeper?.remove(keys);
      return undefined;
    }
    case 'commission':
      await commission(named === undefined ? everyKey(tools) : [named], tools);
      return undefined;
    case 'export':
      return exportKeys(named === undefined ? everyKey(tools) : [named], source, tools);
    case 'import':
      await importInto(source, payload, tools);
      return undefined;
    default:
      throw new EdgeError(
        'OPERATION',
        `msg.operation "${String(operation)}" is not known. Use reset, commission, export, import or maintenance.`,
      );
  }
}

async function commission(keys: string[], { table, keeper }: OperationTools): Promise<void> {
  // What lies in the store only would be thrown away right after it was read.
  await keeper?.remove(keys);
  for (const key of keys) {
    table.forest(key)?.model.restart();
  }
}

async function exportKeys(keys: string[], source: string, tools: OperationTools): Promise<ForestExport> {
  const { table, keeper, wake } = tools;
  const forests: NamedForest[] = [];
  let bytes = 0;
  for (const key of keys) {
    if (keeper?.dormant.has(key)) {
      await wake(key);
    }
    const forest = table.forest(key);
    if (forest) {
      forests.push(forest);
      bytes += forest.model.bytes;
    }
    if (bytes > MAX_EXPORT_BYTES) {
      throw new EdgeError(
        'TOO_LARGE',
        'The forests of all sources are too much for one message; name a source in msg.topic.',
      );
    }
  }
  if (source !== '' && forests.length === 0) {
    throw new EdgeError('OPERATION', `There is no forest for msg.topic "${source}" to export.`);
  }
  return exportForests(forests.map((forest) => ({ key: forest.key, state: table.state(forest) })));
}

async function importInto(source: string, payload: unknown, tools: OperationTools): Promise<void> {
  const { config, table, keeper, catchUp } = tools;
  const imported = importForests(payload);
  if (source !== '' && imported.length !== 1) {
    throw invalid(`it holds ${imported.length} forests, but msg.topic names one source`);
  }
  const shared = config.scope === 'node';
  if (shared && imported.length > 1) {
    throw invalid('it holds several forests, but this node has one for all sources');
  }
  const keyed = imported.map(({ source: own, state }) => ({
    key: shared ? SHARED : source || own,
    state,
  }));
  for (const { state } of keyed) {
    const unfit = table.unfit(state);
    if (unfit !== undefined) {
      throw invalid(unfit);
    }
  }
  const newcomers = keyed.filter(({ key }) => !table.forest(key) && !keeper?.dormant.has(key)).length;
  if (everyKey(tools).length + newcomers > config.maxSources) {
    throw new EdgeError(
      'SOURCE_LIMIT',
      'The import has more sources than there is room for; raise "maxSources".',
    );
  }
  for (const { key, state } of keyed) {
    keeper?.replaced(key);
    const forest = table.resume(key, state);
    await catchUp(forest);
    keeper?.learned(forest, config.model.retrain);
  }
}

function everyKey({ table, keeper }: OperationTools): string[] {
  const live = [...table.allForests()].map(({ key }) => key);
  return [...new Set([...live, ...(keeper?.dormant ?? [])])];
}
