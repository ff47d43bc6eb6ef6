import { EdgeError } from '../shared/errors';
import { fromDocument, toDocument, type SourceState, type StateDocument } from './model-state';

/** What `export` answers and `import` takes. */
export interface ForestExport {
  format: typeof FORMAT;
  version: typeof VERSION;
  forests: (StateDocument & { source: string })[];
}

/** One forest of an export, checked. */
export interface ImportedForest {
  source: string;
  state: SourceState;
}

const FORMAT = 'millwright/iso-forest';
const VERSION = 1;
const MAX_FORESTS = 10_000;

export function exportForests(forests: Iterable<{ key: string; state: SourceState }>): ForestExport {
  const list = [...forests].map(({ key, state }) => ({
    source: key,
    ...toDocument(state, (bytes) => Buffer.from(bytes).toString('base64')),
  }));
  return { format: FORMAT, version: VERSION, forests: list };
}

/**
 * Reads an export that anyone may have written; all of it is checked before any of it is used.
 *
 * @throws EdgeError `IMPORT_INVALID`
 */
export function importForests(payload: unknown): ImportedForest[] {
  const { format, version, forests } =
    typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : {};
  if (format !== FORMAT || version !== VERSION || !Array.isArray(forests) || forests.length > MAX_FORESTS) {
    throw invalid('it is no export of an iso-forest node of this version');
  }
  return forests.map((document: unknown) => {
    try {
      const { source } = (document ?? {}) as { source?: unknown };
      if (typeof source !== 'string') {
        throw new Error('"source" is no text');
      }
      return { source, state: fromDocument(document, base64) };
    } catch (thrown) {
      throw invalid(thrown instanceof Error ? thrown.message : String(thrown));
    }
  });
}

function base64(value: unknown): Uint8Array | undefined {
  return typeof value === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(value)
    ? Buffer.from(value, 'base64')
    : undefined;
}

export function invalid(problem: string): EdgeError {
  return new EdgeError(
    'IMPORT_INVALID',
    `msg.payload cannot be imported: ${problem}. Send what the operation "export" gave, unchanged.`,
  );
}
