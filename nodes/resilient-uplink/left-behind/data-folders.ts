import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** More than any gateway has; the oldest are forgotten beyond. */
const MOST = 100;

/**
 * The data folders in which an uplink has ever run, in a file of one folder a line: when a gateway is given another one,
 * nothing else remembers where the outboxes lie that it leaves behind.
 */
export class DataFolders {
  private known: string[] | undefined;
  private writing: Promise<void> = Promise.resolve();

  constructor(private readonly file: string) {}

  async list(): Promise<string[]> {
    this.known ??= await this.read();
    return this.known;
  }

  /** Remembers a folder; rejects when the disk refuses. */
  note(folder: string): Promise<void> {
    const noted = this.writing.then(() => this.add(folder));
    this.writing = noted.catch(() => undefined);
    return noted;
  }

  private async add(folder: string): Promise<void> {
    const known = await this.list();
    if (known.includes(folder)) {
      return;
    }
    const next = [...known, folder].slice(-MOST);
    await mkdir(dirname(this.file), { recursive: true });
    const handle = await open(`${this.file}.new`, 'w');
    try {
      await handle.writeFile(next.map((line) => `${line}\n`).join(''));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(`${this.file}.new`, this.file);
    this.known = next;
  }

  private async read(): Promise<string[]> {
    try {
      return (await readFile(this.file, 'utf8')).split('\n').filter((line) => line !== '');
    } catch {
      return [];
    }
  }
}
