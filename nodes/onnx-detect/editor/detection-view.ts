import type { Translate } from '../../shared/editor/failure-box';
import { shownNumber } from '../../shared/editor/figures';
import { shareBar } from '../../shared/editor/share-bar';
import { table, type Column } from '../../shared/editor/table';
import type { Contribution, Detection } from '../../shared/messages';
import type { TrialAnswer } from '../inspect/result';
import { section } from './parts';

const DIGITS = 4;

/** Votes as they are entered. */
export interface EnteredVotes {
  votes: string;
  window: string;
}

/** Shows a detection. Labels and names come from strangers, so they are only ever set as text. */
export function detectionView(
  detection: Detection,
  { window, leftOut }: TrialAnswer,
  votes: EnteredVotes,
  translate: Translate,
): JQuery {
  const { score, threshold, label, probabilities, contributions, outputs } = detection;
  const view = $('<div>', { class: 'edge-onnx-detection' });
  const notes: string[] = [];
  if (score === null || threshold === null) {
    notes.push(translate('try.learning', { size: window?.size, given: window?.given }));
  } else {
    view.append(
      verdict(detection, score, threshold, translate),
      scoreBar(detection, score, threshold, translate),
    );
    if (window) {
      notes.push(translate(window.given === 1 ? 'try.oneForAll' : 'try.window', { ...window }));
    }
    if (Number(votes.votes) > 1 && score >= threshold) {
      notes.push(translate('try.votes', { ...votes }));
    }
  }
  notes.forEach((note) => view.append($('<div>', { class: 'edge-caption' }).text(note)));
  if (label !== undefined) {
    view.append(
      $('<div>', { class: 'edge-onnx-label' }).append(
        $('<span>', { class: 'edge-note' }).text(translate('try.label')),
        $('<strong>').text(label),
      ),
    );
  }
  const more = (count: number): string => translate('inspect.more', { count });
  if (probabilities) {
    const rows = Object.entries(probabilities).sort(([, a], [, b]) => b - a);
    const count = rows.length + (leftOut?.probabilities ?? 0);
    view.append(table(probabilityColumns(translate), rows, count, more));
  }
  if (contributions) {
    const count = contributions.length + (leftOut?.contributions ?? 0);
    view.append(table(contributionColumns(translate), contributions, count, more));
  }
  if (outputs) {
    const text = $('<pre>', { class: 'edge-onnx-outputs' }).text(outputText(outputs));
    const rest = leftOut?.values ? $('<div>', { class: 'edge-caption' }).text(more(leftOut.values)) : '';
    view.append(section(translate('try.outputs'), $('<div>').append(text, rest)));
  }
  return view;
}

function verdict({ kind }: Detection, score: number, threshold: number, translate: Translate): JQuery {
  const detected = kind !== undefined;
  return $('<div>', {
    class: `edge-onnx-verdict ${detected ? 'edge-onnx-detected' : 'edge-onnx-clear'}`,
  }).append(
    $('<span>', { class: 'edge-onnx-score' }).attr('title', String(score)).text(shownNumber(score, DIGITS)),
    $('<span>').append(
      $('<strong>').text(translate(detected ? 'try.detected' : 'try.clear')),
      $('<br>'),
      $('<span>').text(
        translate(detected ? 'try.reaches' : 'try.below', { threshold: shownNumber(threshold) }),
      ),
    ),
  );
}

/** The score from the left, with a mark at the threshold: to the right is worse. */
function scoreBar(
  { kind, probabilities }: Detection,
  score: number,
  threshold: number,
  translate: Translate,
): JQuery {
  const isProbability =
    probabilities !== undefined || (score >= 0 && score <= 1 && threshold <= 1 && threshold >= 0);
  const [low, high] = isProbability ? [0, 1] : spanOf(score, threshold);
  const share = (value: number): string =>
    `${Math.min(100, Math.max(0, (100 * (value - low)) / (high - low)))}%`;
  const description = translate('try.bar', {
    score: shownNumber(score, DIGITS),
    threshold: shownNumber(threshold),
  });
  return $('<div>', { class: 'edge-onnx-scale' }).append(
    $('<div>', { class: 'edge-onnx-bar', role: 'img', 'aria-label': description }).append(
      $('<div>', { class: `edge-onnx-fill ${kind ? 'edge-onnx-bad' : 'edge-onnx-good'}` }).css({
        width: share(score),
      }),
      $('<div>', { class: 'edge-onnx-mark' })
        .css({ left: share(threshold) })
        .attr('title', description),
    ),
    $('<div>', { class: 'edge-onnx-ends' }).append(
      $('<span>').text(shownNumber(low, DIGITS)),
      $('<span>').text(shownNumber(high, DIGITS)),
    ),
  );
}

function spanOf(score: number, threshold: number): [low: number, high: number] {
  const [least, most] = [Math.min(0, score, threshold), Math.max(0, score, threshold)];
  const room = (most - least || 1) * 0.1;
  return [least < 0 ? least - room : 0, most > 0 ? most + room : 0];
}

function probabilityColumns(translate: Translate): Column<[string, number]>[] {
  return [
    { title: translate('try.class'), cell: ([name]) => name },
    { title: '', cell: ([, value]) => shareBar(value), width: '35%' },
    probabilityColumn(translate),
  ];
}

function probabilityColumn(translate: Translate): Column<[string, number]> {
  return {
    title: translate('try.probability'),
    cell: ([, value]) => shownNumber(value, DIGITS),
    whole: ([, value]) => String(value),
    isNumber: true,
    width: '27%',
  };
}

function contributionColumns(translate: Translate): Column<Contribution>[] {
  const number = (value: number | undefined): string =>
    value === undefined ? '' : shownNumber(value, DIGITS);
  return [
    { title: translate('try.contribution'), cell: ({ channel }) => channel },
    { title: translate('try.value'), cell: ({ value }) => number(value), isNumber: true, width: '16%' },
    {
      title: translate('try.expected'),
      cell: ({ expected }) => number(expected),
      isNumber: true,
      width: '19%',
    },
    { title: translate('try.share'), cell: ({ share }) => shareBar(share, true), width: '27%' },
  ];
}

/** One output a line; rows of a tensor beneath one another would be too long to read. */
function outputText(outputs: Record<string, unknown>): string {
  return Object.entries(outputs)
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
    .join('\n');
}
