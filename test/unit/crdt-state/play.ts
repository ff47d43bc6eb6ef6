import { AssertionError } from 'node:assert';
import { DoubleScenario } from './double-scenario';
import { DEFAULT_STEPS, Scenario, type ScenarioOptions } from './scenario';

/** Steps of a failing history that its message shows. */
const SHOWN = 40;

/** A history that ended wrongly. `wrong` tells what the oracle found from what merely broke. */
export class FailedHistory extends Error {
  constructor(
    readonly seed: number,
    readonly wrong: boolean,
    message: string,
    cause: unknown,
  ) {
    super(message, { cause });
  }
}

/**
 * Plays one history. A failure says the seed, the fewest steps that fail, and what was done.
 *
 * @throws FailedHistory
 */
export async function playHistory(seed: number, options: ScenarioOptions = {}): Promise<Scenario> {
  const scenario = scenarioOf(seed, options);
  try {
    await scenario.play();
    return scenario;
  } catch (thrown) {
    const { steps, failure, trace } = await shrink(seed, options, { failure: thrown, trace: scenario.trace });
    const message = failure instanceof Error ? failure.message : String(failure);
    throw new FailedHistory(
      seed,
      thrown instanceof AssertionError,
      `seed ${seed}, ${JSON.stringify({ ...options, steps })}: ${message}\n${trace.slice(-SHOWN).join('\n')}`,
      failure,
    );
  }
}

function scenarioOf(seed: number, options: ScenarioOptions): Scenario {
  return options.double ? new DoubleScenario(seed, options) : new Scenario(seed, options);
}

interface Failure {
  failure: unknown;
  trace: readonly string[];
}

/** Tries shorter and shorter histories of the same seed. */
async function shrink(
  seed: number,
  options: ScenarioOptions,
  known: Failure,
): Promise<Failure & { steps: number }> {
  let shortest = { ...known, steps: options.steps ?? DEFAULT_STEPS };
  for (let steps = 1; steps < shortest.steps; steps++) {
    const scenario = scenarioOf(seed, { ...options, steps });
    try {
      await scenario.play();
    } catch (failure) {
      shortest = { failure, trace: scenario.trace, steps };
    }
  }
  return shortest;
}
