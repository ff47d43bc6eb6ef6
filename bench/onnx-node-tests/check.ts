/** The process in which cases are run: what a case does to it, it does to nothing else. */
import { toEdgeError } from '../../nodes/shared/errors';
import { serveProcess } from '../../nodes/shared/worker/serve-worker';
import { foreignTypes, readTensors, type TestCase } from './case-files';
import { tensorDifference } from './compare';
import { checkNode } from './row-check';
import { anchor, load, serve, SERVING } from './serving';

export interface CheckCall {
  folder: string;
  test: TestCase;
}

export type Outcome =
  | { kind: 'pass'; note: string }
  /** Refused or failed, with an error of the suite. */
  | { kind: 'error'; code: string; reason: string }
  | { kind: 'different'; reason: string }
  /** The level does not apply. */
  | { kind: 'apart'; isPlanned: boolean; code: string; reason: string };

export type CheckMethods = {
  runtime: (call: CheckCall) => Promise<Outcome>;
  node: (call: CheckCall) => Promise<Outcome>;
};

serveProcess({
  runtime: ({ folder, test }: CheckCall) => withErrors(() => checkRuntime(folder, test)),
  node: ({ folder, test }: CheckCall) => withErrors(() => checkNode(folder, test)),
});

async function withErrors(check: () => Promise<Outcome>): Promise<Outcome> {
  try {
    await anchor;
    return await check();
  } catch (thrown) {
    return asError(thrown);
  }
}

function asError(thrown: unknown): Outcome & { kind: 'error' } {
  const { code, message } = toEdgeError(thrown);
  return { kind: 'error', code, reason: message };
}

/** Tensors in, tensors out; what the backend has no form for has to be refused by those who serve it. */
async function checkRuntime(folder: string, test: TestCase): Promise<Outcome> {
  if (foreignTypes(test).length > 0) {
    const { session } = await serve(folder, test, SERVING);
    await session.release();
    return { kind: 'different', reason: 'it is served, and has a type that cannot be' };
  }
  const session = await load(folder, test);
  try {
    const { inputs, outputs } = session.info;
    const feeds = readTensors(folder, test, 'input').map((tensor, at) => [inputs[at].name, tensor] as const);
    const expected = readTensors(folder, test, 'output');
    const got = await session.run(Object.fromEntries(feeds));
    for (let at = 0; at < expected.length; at++) {
      const difference = tensorDifference(expected[at], got[outputs[at].name]);
      if (difference !== undefined) {
        return { kind: 'different', reason: `${outputs[at].name}: ${difference}` };
      }
    }
    return { kind: 'pass', note: '' };
  } finally {
    await session.release();
  }
}
