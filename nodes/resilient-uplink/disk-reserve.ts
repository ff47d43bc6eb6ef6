import { closeSync, existsSync, openSync, statfsSync, unlinkSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Too little is free on the disk. */
export interface Shortage {
  /** Bytes that are free. */
  free: number;
  /** Bytes that an outbox leaves free. */
  reserve: number;
}

/** What the disk says. */
export interface Space {
  free: number;
  total: number;
}

const MEGABYTE = 1024 * 1024;
const MOST_RESERVE = 256 * MEGABYTE;
const RESERVED_SHARE = 0.05;
/** What has to be free above the reserve before a shortage is over, so that it does not come and go. */
const RECOVERY = 1.1;
/** SQLite's log before it is brought into the database, which is what a deletion may have to write. */
const MOST_BALLAST = 4 * MEGABYTE;
/** Share of the reserve that the ballast may take, on a small disk. */
const BALLAST_SHARE = 0.25;
const BLOCK = 64 * 1024;

/**
 * Leaves room on the disk of an outbox for everybody else. And keeps a file of nothing beside the outbox, to be given up
 * when others have taken the last byte: without room for the log nothing can be deleted. Blocks; for worker threads.
 */
export class DiskReserve {
  private short = false;
  private readonly ballast: string;

  constructor(
    path: string,
    private readonly space: () => Space | undefined = () => spaceOf(path),
  ) {
    this.ballast = ballastOf(path);
  }

  /** What is missing; undefined while there is enough, or where the disk does not say. */
  shortage(): Shortage | undefined {
    const space = this.space();
    if (!space) {
      return undefined;
    }
    const reserve = reserveOf(space.total);
    this.short = space.free < reserve * (this.short ? RECOVERY : 1);
    return this.short ? { free: space.free, reserve } : undefined;
  }

  /** Takes the room that deletions may need, while there is enough. */
  keepBallast(): void {
    const space = this.space();
    if (!space || existsSync(this.ballast)) {
      return;
    }
    const reserve = reserveOf(space.total);
    const size = Math.min(MOST_BALLAST, Math.floor(reserve * BALLAST_SHARE));
    if (space.free < reserve * RECOVERY + size) {
      return;
    }
    try {
      const file = openSync(this.ballast, 'w');
      try {
        // Written, because a file with holes would take nothing.
        for (let left = size; left > 0; left -= BLOCK) {
          writeSync(file, Buffer.alloc(Math.min(BLOCK, left)));
        }
      } finally {
        closeSync(file);
      }
    } catch {
      this.giveUpBallast();
    }
  }

  /** Gives the room for deletions up; whether there was any. */
  giveUpBallast(): boolean {
    try {
      unlinkSync(this.ballast);
      return true;
    } catch {
      return false;
    }
  }
}

/** What a shortage means for the outbox with a file. */
export function shortageText({ free, reserve }: Shortage, path: string): string {
  return (
    `The disk of ${path} has ${megabytes(free)} MB left, less than the ${megabytes(reserve)} MB that are left to others. ` +
    'The outbox counts as full until there is more ("overflow" says what happens). Make room on the disk.'
  );
}

function megabytes(bytes: number): string {
  return (bytes / MEGABYTE).toFixed(bytes < 10 * MEGABYTE ? 1 : 0);
}

/** The file that keeps room for the deletions of an outbox. */
export function ballastOf(path: string): string {
  return `${path}-ballast`;
}

function reserveOf(total: number): number {
  return Math.min(MOST_RESERVE, total * RESERVED_SHARE);
}

function spaceOf(path: string): Space | undefined {
  try {
    const { bavail, blocks, bsize } = statfsSync(dirname(path));
    return blocks > 0 ? { free: bavail * bsize, total: blocks * bsize } : undefined;
  } catch {
    return undefined;
  }
}
