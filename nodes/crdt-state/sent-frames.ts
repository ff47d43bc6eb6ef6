import { createHash } from 'node:crypto';

const MOST = 1024;

/**
 * The frames that this process sent lately, so that it knows them when a broker sends them back. A frame of its own
 * identity that it did not send comes from a double.
 */
export class SentFrames {
  private readonly digests = new Set<string>();

  add(bytes: Uint8Array): void {
    this.digests.add(digest(bytes));
    if (this.digests.size > MOST) {
      const [oldest] = this.digests;
      this.digests.delete(oldest);
    }
  }

  has(bytes: Uint8Array): boolean {
    return this.digests.has(digest(bytes));
  }
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}
