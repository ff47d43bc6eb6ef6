import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';

/** The path of an installed program, or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/**
 * The path of a program that a test needs. Where it is missing the test is skipped and says so, except in CI, which
 * installs everything (`EDGE_REQUIRE_ALL=1`) and fails instead.
 */
export function needProgram(t: TestContext, name: string): string | undefined {
  const path = findProgram(name);
  if (path === undefined) {
    unavailable(t, `${name} is not installed`);
  }
  return path;
}

/** Skips a test for the reason given, or fails it where nothing may be skipped. */
export function unavailable(t: TestContext, reason: string): void {
  if (process.env.EDGE_REQUIRE_ALL === '1') {
    throw new Error(`${reason}, and EDGE_REQUIRE_ALL forbids to skip`);
  }
  t.skip(reason);
}
