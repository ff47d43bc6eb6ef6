import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { npm } from './npm';
import { packageRoot } from './runtime';

/** The package as a user gets it: packed, and installed from the tarball with its dependencies. */
export class InstalledPackage {
  private constructor(private readonly folder: string) {}

  /** Packs and installs what is built; npm takes the dependencies from its cache where it has them. */
  static make(): InstalledPackage {
    const folder = mkdtempSync(join(tmpdir(), 'edge-package-'));
    npm('pack', packageRoot, '--pack-destination', folder, '--ignore-scripts');
    const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
    npm('install', '--prefix', folder, '--no-audit', '--no-fund', '--prefer-offline', join(folder, tarball));
    return new InstalledPackage(folder);
  }

  /** Puts it into a user folder of Node-RED. */
  installInto(userDir: string): void {
    symlinkSync(join(this.folder, 'node_modules'), join(userDir, 'node_modules'), 'dir');
    cpSync(join(this.folder, 'package.json'), join(userDir, 'package.json'));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
