import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { PAGE_BYTES, scanWal, type ReadAt, type WalContents } from './wal';

/** Entries of a pointer map page, which tells of as many pages what they are. */
const MAP_ENTRIES = Math.floor(PAGE_BYTES / 5);
const FREE_PAGE = 2;
const FIRST_OVERFLOW = 3;
const LATER_OVERFLOW = 4;

/**
 * Pages of a database file without SQLite, each in its newest committed form, from the file or its log. A page that the
 * disk refuses is not there. The database must not be open in this process: closing the file here would end its lock.
 */
export class DamagedFile {
  readonly pages: number;
  private readonly wal: WalContents;
  private readonly handles: number[] = [];
  private readonly readFile: ReadAt;
  private readonly readWal: ReadAt;
  private map: { page: number; bytes: Buffer | undefined } = { page: 0, bytes: undefined };

  constructor(path: string) {
    const file = this.open(path);
    const log = this.open(`${path}-wal`);
    this.readFile = file.readAt;
    this.readWal = log.readAt;
    this.wal = scanWal(log.readAt, log.size);
    // Pages behind the last commit's size were given back, and hold what was deleted.
    this.pages = this.wal.databasePages || Math.ceil(file.size / PAGE_BYTES);
  }

  /** A page, counted from 1. */
  page(number: number): Buffer | undefined {
    const page = Buffer.alloc(PAGE_BYTES);
    const inLog = this.wal.pages.get(number);
    const bytes =
      inLog === undefined ? this.readFile(page, (number - 1) * PAGE_BYTES) : this.readWal(page, inLog);
    return bytes > 0 ? page : undefined;
  }

  /** Whether a page can be part of a table or an index, as far as the file's own map tells. */
  isTree(number: number): boolean {
    const page = 2 + Math.floor((number - 2) / (MAP_ENTRIES + 1)) * (MAP_ENTRIES + 1);
    if (page === number) {
      return false;
    }
    if (this.map.page !== page) {
      this.map = { page, bytes: this.page(page) };
    }
    const kind = this.map.bytes?.[(number - page - 1) * 5];
    return kind !== FREE_PAGE && kind !== FIRST_OVERFLOW && kind !== LATER_OVERFLOW;
  }

  close(): void {
    this.handles.forEach((handle) => closeSync(handle));
  }

  private open(path: string): { readAt: ReadAt; size: number } {
    const opened = openToRead(path);
    if (opened.handle !== undefined) {
      this.handles.push(opened.handle);
    }
    return opened;
  }
}

/** Whether the log of a database holds commits that SQLite would not find, or would throw away. */
export function isLogLost(path: string): boolean {
  const { readAt, size, handle } = openToRead(`${path}-wal`);
  if (handle === undefined) {
    return false;
  }
  try {
    const { pages, damaged } = scanWal(readAt, size);
    const database = statSync(path, { throwIfNoEntry: false });
    return damaged || (pages.size > 0 && (database?.size ?? 0) === 0);
  } finally {
    closeSync(handle);
  }
}

function openToRead(path: string): { readAt: ReadAt; size: number; handle?: number } {
  let handle: number;
  try {
    handle = openSync(path, 'r');
  } catch {
    return { readAt: () => 0, size: 0 };
  }
  const readAt: ReadAt = (target, position) => {
    try {
      return readSync(handle, target, 0, target.byteLength, position);
    } catch {
      return 0;
    }
  };
  return { readAt, size: fstatSync(handle).size, handle };
}
