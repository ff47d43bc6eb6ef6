import { isRecord } from '../../shared/dialog/request';
import { excerpt } from '../../shared/text';
import { partOf, shownName } from './bounds';
import type { CardEntry } from './result';

const MAX_ENTRIES = 150;
const MAX_DEPTH = 4;
const MAX_ITEMS = 30;
const MAX_TEXT = 1000;

/** What the dialog shows elsewhere, as the node understands it. */
const SERVED = new Set([
  ...['name', 'version', 'task', 'features', 'window', 'labels', 'positive', 'threshold', 'direction'],
  ...['outputs', 'input', 'sample', 'digest'],
]);

/** What a model card says besides how to serve the model, in its own order and words. */
export function cardEntries(card: Record<string, unknown>): CardEntry[] {
  const others = Object.entries(card).filter(([key]) => !SERVED.has(key));
  return new Reader().entriesOf(others, 1);
}

class Reader {
  private left = MAX_ENTRIES;

  entriesOf(values: readonly (readonly [string, unknown])[], depth: number): CardEntry[] {
    const entries: CardEntry[] = [];
    for (const [key, value] of values) {
      if (this.left <= 0) {
        break;
      }
      const content = this.contentOf(value, depth);
      if (content) {
        entries.push({ key: shownName(key), ...content });
      }
    }
    return entries;
  }

  private contentOf(value: unknown, depth: number): Omit<CardEntry, 'key'> | undefined {
    const text = textOf(value);
    if (text !== undefined) {
      this.left--;
      return text === '' ? undefined : { text };
    }
    if (Array.isArray(value)) {
      return this.listOf(value as unknown[], depth);
    }
    if (!isRecord(value)) {
      return undefined;
    }
    this.left--;
    if (depth >= MAX_DEPTH) {
      return { text: '…' };
    }
    const entries = this.entriesOf(Object.entries(value), depth + 1);
    return entries.length > 0 ? { entries } : undefined;
  }

  private listOf(values: readonly unknown[], depth: number): Omit<CardEntry, 'key'> | undefined {
    this.left--;
    const texts = values.slice(0, MAX_ITEMS).map(textOf);
    if (texts.every((text) => text !== undefined)) {
      return values.length > 0 ? { items: partOf(values, MAX_ITEMS, (_, at) => texts[at] ?? '') } : undefined;
    }
    if (depth >= MAX_DEPTH) {
      return { text: '…' };
    }
    const entries = this.entriesOf(
      values.map((value, at) => [String(at + 1), value] as const),
      depth + 1,
    );
    return entries.length > 0 ? { entries } : undefined;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string'
    ? excerpt(value.trim(), MAX_TEXT)
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : undefined;
}
