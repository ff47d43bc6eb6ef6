import type { Translate } from '../../shared/editor/failure-box';
import type { CardEntry } from '../inspect/result';

/** What people read most, in words; the card's own keys otherwise. */
const KNOWN = new Set([
  ...['description', 'license', 'provenance', 'metrics', 'limits', 'expected', 'thresholdReason'],
]);

/** A model card's entries, nested as they are in it. */
export function cardView(entries: readonly CardEntry[], translate: Translate): JQuery {
  return listOf(entries, (key) => (KNOWN.has(key) ? translate(`card.${key}`) : key), translate);
}

function listOf(
  entries: readonly CardEntry[],
  nameOf: (key: string) => string,
  translate: Translate,
): JQuery {
  const list = $('<dl>', { class: 'edge-onnx-card' });
  for (const entry of entries) {
    const content = $('<dd>').append(contentOf(entry, translate));
    // Short ones stand beside their name.
    content.toggleClass('edge-onnx-block', entry.text === undefined || entry.text.length > 60);
    list.append($('<dt>').text(nameOf(entry.key)), content);
  }
  return list;
}

function contentOf({ text, items, entries }: CardEntry, translate: Translate): JQuery {
  if (entries) {
    return listOf(entries, (key) => key, translate);
  }
  if (!items) {
    return $('<span>').text(text ?? '');
  }
  const left = items.count - items.shown.length;
  const shown = left > 0 ? [...items.shown, translate('inspect.more', { count: left })] : items.shown;
  if (shown.every((item) => item.length < 20)) {
    return $('<span>').text(shown.join(', '));
  }
  const list = $('<ul>');
  shown.forEach((item) => list.append($('<li>').text(item)));
  return list;
}
