import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { packageRoot } from './runtime';
import { needProgram, unavailable } from './tools';

/** Linux' numbers of what a disk may answer. */
export const ERRNO = { EIO: 5, EACCES: 13, ENOSPC: 28, EROFS: 30 } as const;

/** What of a disk fails, and how. */
export type Faults = Partial<Record<'open' | 'write' | 'sync', number>>;

/** Makes the disk fail for a process that is started with its environment; see test/fixtures/failing-disk.c. */
export class FailingDisk {
  private readonly folder = mkdtempSync(join(tmpdir(), 'edge-failing-'));

  /** Skips the test where no C compiler is. */
  static make(t: TestContext): FailingDisk | undefined {
    const compiler = needProgram(t, 'cc');
    if (compiler === undefined) {
      return undefined;
    }
    const disk = new FailingDisk();
    t.after(() => rmSync(disk.folder, { recursive: true, force: true }));
    const source = join(packageRoot, 'test', 'fixtures', 'failing-disk.c');
    const made = spawnSync(compiler, ['-shared', '-fPIC', '-O1', '-o', disk.library, source, '-ldl']);
    if (made.status !== 0) {
      unavailable(t, `cc makes no library here: ${made.stderr.toString()}`);
      return undefined;
    }
    return disk;
  }

  private get library(): string {
    return join(this.folder, 'failing-disk.so');
  }

  /** @param folder whose files fail */
  environment(folder: string): Record<string, string> {
    return {
      LD_PRELOAD: this.library,
      EDGE_FAULT: join(this.folder, 'fault'),
      EDGE_FAULT_TRACE: join(this.folder, 'trace'),
      EDGE_FAULT_FOLDER: folder,
    };
  }

  /** From now on, what is named fails; nothing does without. */
  fail(faults: Faults = {}): void {
    const lines = Object.entries(faults).map(([call, errno]) => `${call} ${errno}\n`);
    writeFileSync(join(this.folder, 'fault'), lines.join(''));
  }

  /** Every sync so far: `synced` or `failed` and the file. */
  syncs(): string[] {
    try {
      return readFileSync(join(this.folder, 'trace'), 'utf8').trim().split('\n');
    } catch {
      return [];
    }
  }
}
