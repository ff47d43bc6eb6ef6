import type {
  Failure,
  LastSample,
  PreviewResult,
  Rejection,
  ShownReading,
  WindowProgress,
} from '../preview/result';
import { shownNumber, shownSeconds, shownSpan, shownTime } from './figures';

type Translate = (key: string, parameters?: Record<string, unknown>) => string;

/** Shows what became of the samples. Names and messages come from strangers, so they are only ever set as text. */
export function showOutcome(place: JQuery, result: PreviewResult, translate: Translate): void {
  const parts: JQuery[] = [];
  if (result.failure) {
    parts.push(failureBox(result.failure, translate));
  }
  if (result.last) {
    parts.push(...lastSample(result.last, translate));
  }
  if (result.samples > 1 && result.rejections.length > 0) {
    parts.push(rejectionList(result.rejections, result.samples, translate));
  }
  place.empty().append(...parts);
}

/** An error as the node would give it: its code and its message; a configuration error with its property. */
export function failureBox({ code, message, property }: Failure, translate: Translate): JQuery {
  const box = $('<div>', { class: 'edge-ingest-failure' }).append($('<code>').text(code));
  if (property !== undefined) {
    const key = `label.${property}`;
    const label = translate(key);
    box.append($('<strong>').text(label.endsWith(key) ? property : label));
  }
  return box.append($('<div>').text(message));
}

function lastSample(last: LastSample, translate: Translate): JQuery[] {
  const parts: JQuery[] = [];
  if (last.failure) {
    parts.push(failureBox(last.failure, translate));
  }
  const { reading, features, progress } = last;
  if (reading) {
    const title = last.readings > 1 ? translate('preview.lastOf', { count: last.readings }) : undefined;
    parts.push(readingBlock(reading, title, translate));
  }
  if (features && features.window) {
    const [start, end] = shownSpan(features.window.start, features.window.end);
    const { count, sampleRate } = features.window;
    const title = reading
      ? translate('preview.window', { count, start, end })
      : translate('preview.waveform', {
          count,
          span: sampleRate ? `${shownNumber((1000 * count) / sampleRate)} ms` : '–',
        });
    parts.push(readingBlock(features, title, translate, !reading));
  }
  if (progress) {
    parts.push($('<div>', { class: 'form-tips' }).text(progressText(progress, translate)));
  }
  return parts;
}

function readingBlock(
  reading: ShownReading,
  title: string | undefined,
  translate: Translate,
  identified = true,
): JQuery {
  const block = $('<div>', { class: 'edge-ingest-reading' });
  if (title !== undefined) {
    block.append($('<div>', { class: 'edge-ingest-caption' }).text(title));
  }
  if (identified) {
    block.append(identity(reading, translate));
  }
  return block.append(valueTable(reading, translate));
}

function identity({ source, ts, arrival, quality }: ShownReading, translate: Translate): JQuery {
  const list = $('<dl>');
  const entry = (key: string, text: string, notes: string[] = []): void => {
    const value = $('<dd>').append($('<span>').text(text));
    for (const note of notes) {
      value.append(' ', $('<span>', { class: 'edge-ingest-note' }).text(note));
    }
    list.append($('<dt>').text(translate(`preview.${key}`)), value);
  };
  entry('source', source === '' ? translate('preview.noTopic') : source);
  const iso = new Date(ts).toISOString();
  entry('time', shownTime(ts), arrival ? [iso, translate('preview.arrival')] : [iso]);
  entry('quality', quality, quality === 'uncertain' ? [translate('preview.uncertain')] : []);
  return list;
}

function valueTable({ values, channels }: ShownReading, translate: Translate): JQuery {
  const head = $('<tr>').append(
    $('<th>').text(translate('preview.channel')),
    $('<th>').text(translate('preview.value')),
    $('<th>').text(translate('column.unit')),
  );
  const body = $('<tbody>');
  for (const { channel, value, unit } of values) {
    body.append(
      $('<tr>').append(
        $('<td>').attr('title', channel).text(channel),
        $('<td>').attr('title', String(value)).text(shownNumber(value)),
        $('<td>').text(unit),
      ),
    );
  }
  const more = channels - values.length;
  if (more > 0) {
    body.append($('<tr>').append($('<td colspan="3">').text(translate('preview.more', { count: more }))));
  }
  return $('<div>', { class: 'edge-ingest-values' }).append(
    $('<table>').append($('<thead>').append(head), body),
  );
}

function progressText(progress: WindowProgress, translate: Translate): string {
  return progress.kind === 'count'
    ? translate('preview.countProgress', { rows: progress.rows, size: progress.size })
    : translate('preview.timeProgress', {
        rows: progress.rows,
        span: shownSeconds(progress.span),
        size: shownSeconds(progress.size),
        lateness: shownSeconds(progress.lateness),
      });
}

function rejectionList(rejections: readonly Rejection[], samples: number, translate: Translate): JQuery {
  const rejected = rejections.reduce((sum, { count }) => sum + count, 0);
  const list = $('<div>', { class: 'edge-ingest-rejections' }).append(
    $('<div>', { class: 'edge-ingest-caption' }).text(
      translate('preview.rejected', { count: rejected, samples }),
    ),
  );
  for (const { code, message, count } of rejections) {
    list.append($('<div>').append($('<code>').text(`${count} × ${code}`), $('<span>').text(message)));
  }
  return list;
}
