import { createHash } from 'node:crypto';
import { topicMatches } from '../shared/topic';
import type { Strategy } from './merge';

// What needs no Node.js, the dialog uses as well.
export * from './merge';

/** One line of the `rules` property; the pattern is MQTT's. */
export interface StrategyRule {
  pattern: string;
  strategy: Strategy;
}

/** The strategy of every key: the first rule that matches, else the default. */
export class StrategyBook {
  /** Equal on replicas that merge alike. */
  readonly hash: string;

  constructor(
    private readonly fallback: Strategy,
    private readonly rules: readonly StrategyRule[],
  ) {
    const text = JSON.stringify([fallback, rules.map(({ pattern, strategy }) => [pattern, strategy])]);
    this.hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  }

  of(key: string): Strategy {
    return this.rules.find(({ pattern }) => topicMatches(pattern, key))?.strategy ?? this.fallback;
  }
}
