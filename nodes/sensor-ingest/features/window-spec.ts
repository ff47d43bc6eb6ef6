import { invalidProperty, type ConfigReader } from '../../shared/config-reader';

/** Rows of a count window, and steps in a time window. */
const MAX_WINDOW_ROWS = 100_000;
const MAX_OVERLAP = 1000;

/** `count` in rows, `time` in ms. */
export interface WindowSpec {
  kind: 'count' | 'time';
  size: number;
  step: number;
}

/** @returns undefined where every reading leaves as it is */
export function parseWindow(config: ConfigReader): WindowSpec | undefined {
  const kind = config.choice('window', ['none', 'count', 'time'], 'none');
  if (kind === 'none') {
    return undefined;
  }
  const range = kind === 'count' ? { min: 1, max: MAX_WINDOW_ROWS, integer: true } : { min: 0.001, max: 1e7 };
  const size = config.number('windowSize', 10, range);
  // 0 in a flow file means as empty does: windows follow one another.
  const step = config.number('windowStep', 0, { ...range, min: 0 }) || size;
  if (step > size) {
    throw invalidProperty(
      'windowStep',
      'must not be larger than windowSize, or readings in between would be lost',
    );
  }
  if (kind === 'time' && size / step > MAX_OVERLAP) {
    throw invalidProperty('windowStep', `must be at least a ${MAX_OVERLAP}th of windowSize`);
  }
  return kind === 'count'
    ? { kind, size, step }
    : { kind, size: Math.round(size * 1000), step: Math.max(1, Math.round(step * 1000)) };
}
