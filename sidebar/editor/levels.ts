import { shownNumber } from '../../nodes/shared/editor/figures';
import type { LevelState } from '../../nodes/shared/service-levels';
import type { Snapshot } from '../snapshot';
import { forThoseWhoMay } from './actions';
import { numberEntry } from './entry';
import { complain, post } from './requests';
import { text } from './texts';

type Level = LevelState['level'];

const LEVELS: readonly Level[] = ['latency', 'delivery', 'silence'];

/** What the station promises, and whether it holds. */
export class Levels {
  readonly root = $('<section class="edge-part edge-levels">');
  private readonly limits = new Map<Level, number>();
  private readonly parts = LEVELS.map((level) => this.part(level));

  constructor() {
    this.root.append(
      $('<h3>').text(text('heading.levels')),
      ...this.parts.flatMap(({ root, state }) => [root, state]),
      $('<p class="edge-note">').text(text('levels.about')),
    );
  }

  show({ levels }: Snapshot): void {
    for (const state of levels) {
      this.limits.set(state.level, state.limit);
      const part = this.parts.find(({ level }) => level === state.level);
      if (part) {
        if (!part.input.is(':focus') && !part.input.hasClass('input-error')) {
          part.input.val(String(state.limit));
        }
        const fill = state.met === null ? 'grey' : state.met ? 'green' : 'red';
        part.dot.attr('class', `edge-dot edge-dot-${fill}`);
        part.words.text(wordsOf(state));
        part.state.attr('data-met', String(state.met));
      }
    }
  }

  private part(level: Level) {
    const { root, input } = numberEntry(
      `edge-sidebar-level-${level}`,
      text(`label.level-${level}`),
      0,
      (entered) => {
        this.limits.set(level, entered ?? 0);
        post('service-levels', Object.fromEntries(this.limits)).catch(complain);
      },
    );
    forThoseWhoMay(input);
    const dot = $('<span class="edge-dot edge-dot-grey">');
    const words = $('<span>');
    const state = $('<div class="edge-card-status edge-level">').attr('data-level', level).append(dot, words);
    return { level, root, input, dot, words, state };
  }
}

/** Told in words as well, for whoever does not see the color. */
function wordsOf({ level, limit, value, met }: LevelState): string {
  if (limit === 0) {
    return text('levels.off');
  }
  if (met === null) {
    return text('levels.nothing');
  }
  const unit = level === 'latency' ? 'unit.milliseconds' : 'unit.seconds';
  // JSON has no Infinity: above the last bucket of the latencies.
  const shown = value === null ? text('levels.beyond') : text(unit, { value: shownNumber(value, 3) });
  return text(met ? 'levels.met' : 'levels.missed', { value: shown });
}
