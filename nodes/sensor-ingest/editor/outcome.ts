import { failureBox, type Translate } from '../../shared/editor/failure-box';
import { shownNumber, shownSeconds, shownSpan, shownTime } from '../../shared/editor/figures';
import { table } from '../../shared/editor/table';
import type {
  LastSample,
  PreviewResult,
  Rejection,
  ShownReading,
  ShownValue,
  WindowProgress,
} from '../preview/result';

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
    block.append($('<div>', { class: 'edge-caption' }).text(title));
  }
  if (identified) {
    block.append(identity(reading, translate));
  }
  return block.append(valueTable(reading, translate));
}

function identity({ source, ts, arrival, quality }: ShownReading, translate: Translate): JQuery {
  const list = $('<dl>', { class: 'edge-facts' });
  const entry = (key: string, text: string, notes: string[] = []): void => {
    const value = $('<dd>').append($('<span>').text(text));
    for (const note of notes) {
      value.append(' ', $('<span>', { class: 'edge-note' }).text(note));
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
  return table<ShownValue>(
    [
      { title: translate('preview.channel'), cell: ({ channel }) => channel },
      {
        title: translate('preview.value'),
        cell: ({ value }) => shownNumber(value),
        whole: ({ value }) => String(value),
        isNumber: true,
        width: '25%',
      },
      { title: translate('column.unit'), cell: ({ unit }) => unit, width: '16%' },
    ],
    values,
    channels,
    (count) => translate('preview.more', { count }),
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
    $('<div>', { class: 'edge-caption' }).text(translate('preview.rejected', { count: rejected, samples })),
  );
  for (const { code, message, count } of rejections) {
    list.append($('<div>').append($('<code>').text(`${count} × ${code}`), $('<span>').text(message)));
  }
  return list;
}
