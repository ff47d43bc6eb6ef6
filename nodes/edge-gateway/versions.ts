import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeAPI } from 'node-red';

const PACKAGE = join(__dirname, '..', '..', '..', 'package.json');

/** What runs here, for telemetry: package, Node-RED, Node.js and platform. */
export function versionsOf(RED: NodeAPI): Record<string, string> {
  const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string };
  const nodeRed = (RED as unknown as { version?: () => string }).version?.() ?? '';
  return {
    package: version,
    nodeRed,
    node: process.version,
    platform: `${process.platform}/${process.arch}`,
  };
}
