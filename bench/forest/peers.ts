import { execFileSync, spawnSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Contestant, Timing } from './contest';

const PINNED = ['ml-isolation-forest@0.1.0', 'isolation-forest@0.0.9'];
const RIVAL = 'node-red-contrib-condition-monitoring';

/** Puts the npm peers into a folder outside the project; says why where that fails. */
export function installPeers(folder: string): string | undefined {
  if (existsSync(join(folder, 'node_modules', 'isolation-forest'))) {
    return undefined;
  }
  mkdirSync(folder, { recursive: true });
  const asked = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder, ...PINNED];
  const { status, stderr } = spawnSync('npm', asked, { encoding: 'utf8', timeout: 120_000 });
  return status === 0 ? undefined : stderr.trim().split('\n').slice(-1)[0];
}

interface MlForest {
  train(rows: number[][]): void;
  predict(rows: number[][]): number[];
}

/** `ml-isolation-forest`: no sub-sample, no seed. A second `train` of one object is ignored, so each fit makes a new one. */
export function mlForest(folder: string, rows: number[][]): Contestant {
  const { IsolationForest } = createRequire(join(folder, 'index.js'))('ml-isolation-forest') as {
    IsolationForest: new (options: object) => MlForest;
  };
  let forest = new IsolationForest({ nEstimators: 100 });
  forest.train(rows);
  return {
    name: 'ml-isolation-forest 0.1.0',
    fit: () => {
      forest = new IsolationForest({ nEstimators: 100 });
      forest.train(rows);
    },
    scoreAll: () => void forest.predict(rows),
    scoreOne: (row) => void forest.predict([rows[row]]),
  };
}

interface ObjectForest {
  fit(rows: object[]): void;
  predict(rows: object[]): number[];
}

/** `isolation-forest`: rows are objects; it ignores its own sub-sample. */
export function objectForest(folder: string, rows: number[][]): Contestant {
  const { IsolationForest } = createRequire(join(folder, 'index.js'))('isolation-forest') as {
    IsolationForest: new (trees: number, sample: number) => ObjectForest;
  };
  const objects = rows.map((row) => Object.fromEntries(row.map((value, at) => [`c${at}`, value])));
  let forest = new IsolationForest(100, 256);
  forest.fit(objects);
  return {
    name: 'isolation-forest 0.0.9',
    fit: () => {
      forest = new IsolationForest(100, 256);
      forest.fit(objects);
    },
    scoreAll: () => void forest.predict(objects),
    scoreOne: (row) => void forest.predict([objects[row]]),
  };
}

/** scikit-learn; undefined where Python has none. */
export function scikitLearn(
  python: string,
  rows: number[][],
  script: string,
  folder: string,
): Timing | undefined {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'rows.csv');
  writeFileSync(file, rows.map((row) => row.join(',')).join('\n'));
  try {
    const printed = execFileSync(python, [script, file], {
      encoding: 'utf8',
      env: { ...process.env, OMP_NUM_THREADS: '1' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const { version, ...timing } = JSON.parse(printed) as Omit<Timing, 'name'> & { version: string };
    return { name: `scikit-learn ${version}`, ...timing };
  } catch {
    return undefined;
  }
}

/**
 * The node `isolation-forest-anomaly` of node-red-contrib-condition-monitoring, with nothing around it: µs a message. It
 * takes one number a message, has one forest for all topics, and grows it once, from the first ten messages, unless told
 * otherwise.
 *
 * @param checkout of its repository, in which its dependency can be found
 */
export function rivalMessage(checkout: string, properties: object, messages: number): number | undefined {
  const file = join(checkout, 'nodes', 'isolation-forest-anomaly.js');
  if (!existsSync(file)) {
    return undefined;
  }
  let Type: (new (config: object) => EventEmitter) | undefined;
  const register = createRequire(file)(file) as (red: object) => void;
  register({
    nodes: {
      createNode: (node: EventEmitter) => {
        Object.assign(node, {
          status() {},
          warn() {},
          error() {},
          debug() {},
          send() {},
          context: () => new Map(),
        });
      },
      registerType: (_: string, type: new (config: object) => EventEmitter) => {
        Type = type;
      },
    },
    settings: {},
    httpAdmin: { get() {}, post() {} },
    auth: { needsPermission() {} },
  });
  if (!Type) {
    return undefined;
  }
  Object.setPrototypeOf(Type.prototype as object, EventEmitter.prototype);
  const node = new Type({ contamination: 0.1, ...properties });
  const send = (count: number): void => {
    for (let at = 0; at < count; at++) {
      node.emit(
        'input',
        { payload: 10 + Math.sin(at) },
        () => undefined,
        () => undefined,
      );
    }
  };
  send(Math.ceil(messages / 4));
  const began = process.hrtime.bigint();
  send(messages);
  return Number(process.hrtime.bigint() - began) / 1000 / messages;
}

export { RIVAL };
