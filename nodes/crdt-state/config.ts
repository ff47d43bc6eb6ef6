import { ConfigReader } from '../shared/config-reader';
import { EdgeError } from '../shared/errors';
import { isTopicFilter } from '../shared/topic';
import { STRATEGIES, type Strategy, type StrategyRule } from './strategies';

/** Properties of a `crdt-state`. */
export interface CrdtStateConfig {
  space: string;
  strategy: Strategy;
  rules: StrategyRule[];
  transport: 'mqtt' | 'wire';
  /** Id of an `edge-broker`, for `mqtt`. */
  broker: string;
  flushMs: number;
  persist: boolean;
}

export function parseCrdtStateConfig(raw: unknown): CrdtStateConfig {
  const config = new ConfigReader(raw);
  const space = config.text('space', 'default');
  if (!/^[^/+#\0]{1,100}$/.test(space)) {
    throw new EdgeError(
      'CONFIG',
      'Property "space" is one level of a topic: up to 100 characters without "/", "+" and "#".',
      { property: 'space' },
    );
  }
  return {
    space,
    strategy: config.choice('strategy', STRATEGIES, 'last_write_wins'),
    rules: config.list('rules', parseRule),
    transport: config.choice('transport', ['mqtt', 'wire'], 'wire'),
    broker: config.text('broker'),
    flushMs: config.number('flushMs', 100, { min: 0, max: 3_600_000 }),
    persist: config.flag('persist', true),
  };
}

function parseRule(rule: ConfigReader, index: number): StrategyRule {
  const pattern = rule.text('pattern');
  if (!isTopicFilter(pattern)) {
    throw new EdgeError(
      'CONFIG',
      `Property "rules": pattern ${index + 1} is no topic filter. Write it as plant1/+/count or plant1/#.`,
      { property: 'rules' },
    );
  }
  return { pattern, strategy: rule.choice('strategy', STRATEGIES, 'last_write_wins') };
}
