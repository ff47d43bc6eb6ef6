/** A file in use that can be copied while it is. */
export interface BackedUpFile {
  path: string;
  /** Copies it as it is at one moment, synced to disk. */
  copyTo(path: string): Promise<void>;
}

const files = new Set<BackedUpFile>();

/** Lists a file for backups until the returned function is called. */
export function offerForBackup(file: BackedUpFile): () => void {
  files.add(file);
  return () => void files.delete(file);
}

/** Every file in use that can be copied. */
export function filesToBackUp(): BackedUpFile[] {
  return [...files];
}
