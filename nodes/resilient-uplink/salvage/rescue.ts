import { existsSync, renameSync, statfsSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import {
  damagedBeside,
  isDamage,
  isFull,
  isMisfit,
  openUndamaged,
  removeDatabase,
} from '../../shared/store/sqlite';
import { OUTBOX_MIGRATIONS } from '../outbox-schema';
import { syncFolder, type Remembered } from '../sequence-note';
import type { StoreLoss } from '../store-loss';
import { DamagedFile } from './damaged-file';
import { Salvage, type SalvageProgress } from './salvage';

/** Damaged files that are kept, the newest first. */
const KEPT_FILES = 3;

/** Builds a new outbox from a damaged one that was set aside, and puts it in its place when it is complete. */
export class Rescue {
  /** What was lost; complete when `step` has no more progress to tell. */
  loss: StoreLoss | undefined;
  private readonly building: string;
  private readonly source: DamagedFile;
  private readonly target: DatabaseSync;
  private readonly salvage: Salvage;
  private readonly deleted: string[];
  private reading = true;
  private incomplete = false;

  /**
   * @param path where the outbox belongs
   * @param file where the damaged one lies
   */
  constructor(
    private readonly path: string,
    private readonly file: string,
    private readonly remembered: Remembered | undefined,
  ) {
    this.building = `${path}.salvaged`;
    refuseIfInUse(this.building);
    removeDatabase(this.building);
    this.deleted = this.deleteEarlierFiles();
    this.source = new DamagedFile(file);
    try {
      this.target = openUndamaged(this.building, OUTBOX_MIGRATIONS);
    } catch (thrown) {
      this.source.close();
      throw thrown;
    }
    // Nothing relies on it before it is complete.
    this.target.exec('PRAGMA synchronous=OFF');
    this.salvage = new Salvage(this.source, this.target);
  }

  /** Reads on for a moment; undefined when the new outbox lies in its place. */
  step(): SalvageProgress | undefined {
    try {
      if (this.reading) {
        this.read();
        return this.salvage.progress;
      }
      this.complete();
      return undefined;
    } catch (thrown) {
      this.close();
      throw thrown;
    }
  }

  private read(): void {
    try {
      this.reading = this.salvage.step();
    } catch (thrown) {
      if (!isFull(thrown)) {
        throw thrown;
      }
      this.reading = false;
      this.incomplete = true;
    }
  }

  private complete(): void {
    const { salvaged, corrupt, unrecorded, deadLettersLost, sameIds } = this.salvage.finish(this.remembered);
    this.target.exec('PRAGMA synchronous=FULL; PRAGMA wal_checkpoint(TRUNCATE)');
    this.close();
    renameSync(this.building, this.path);
    syncFolder(this.path);
    this.loss = {
      cause: 'damaged',
      count: corrupt,
      file: this.file,
      salvaged,
      ...(deadLettersLost > 0 && { deadLettersLost }),
      ...(unrecorded > 0 && { unrecorded }),
      ...(!sameIds && { newIds: true }),
      ...(this.incomplete && { incomplete: true }),
      ...(this.deleted.length > 0 && { deleted: this.deleted }),
    };
  }

  /** Ends it, complete or not. */
  close(): void {
    this.source.close();
    this.target.close();
  }

  /** The oldest go when there are many, and all others when the disk has no room for what is to be built. */
  private deleteEarlierFiles(): string[] {
    const earlier = damagedBeside(this.path).filter((file) => basename(file) !== basename(this.file));
    const { bavail, bsize } = statfsSync(dirname(this.path));
    const tight = bavail * bsize < statSync(this.file).size;
    const surplus = tight ? earlier : earlier.slice(0, Math.max(0, earlier.length - (KEPT_FILES - 1)));
    surplus.forEach((file) => removeDatabase(file));
    return surplus;
  }
}

/** Somebody else may be building the same outbox: its lock tells. */
function refuseIfInUse(building: string): void {
  if (!existsSync(building)) {
    return;
  }
  try {
    openUndamaged(building, OUTBOX_MIGRATIONS).close();
  } catch (thrown) {
    if (!isDamage(thrown) && !isMisfit(thrown)) {
      throw thrown;
    }
  }
}
