import { execFileSync } from 'node:child_process';

/** Runs npm and returns what it prints; throws with its output where it fails. */
export function npm(...parameters: string[]): string {
  // npm tells its scripts where it is; outside of one, the npm on the PATH does.
  const cli = process.env.npm_execpath;
  const [program, first] = cli ? [process.execPath, [cli]] : ['npm', []];
  return execFileSync(program, [...first, ...parameters], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, npm_config_onnxruntime_node_install: 'skip' },
  });
}
