import { createHmac, timingSafeEqual } from 'node:crypto';
import { EdgeError } from '../shared/errors';
import { invalidFrame as invalid, type AnyFrame, type Frame } from './frame';
import { readVersion1 } from './frames-v1';
import { readVersion2, writeVersion2 } from './frames-v2';
import { MAX_FRAME_BYTES } from './limits';
import { ByteWriter } from './wire-bytes';

export type { AnyFrame, Frame } from './frame';

const VERSION = 2;
const AUTHENTICATED = 0x80;
const TAG_BYTES = 32;
const KINDS = ['delta', 'vector', 'request', 'reply', 'farewell'] as const;

/**
 * Frames as bytes: version, kind (its top bit set when a tag follows), what {@link writeVersion2} writes, and with a key
 * the HMAC-SHA-256 of space and all bytes before it. Frames of version 1 are still read.
 */
export class FrameCodec {
  private readonly writer = new ByteWriter();
  private readonly knownIds = new Map<string, string>();

  /** @param spaceKey empty = frames are not authenticated. */
  constructor(
    private readonly space: string,
    private readonly spaceKey: string,
  ) {}

  encode(frame: Frame): Buffer {
    const { writer } = this;
    writer.clear();
    writer.byte(VERSION);
    writer.byte(KINDS.indexOf(frame.kind) | (this.spaceKey ? AUTHENTICATED : 0));
    writeVersion2(writer, frame);
    const bytes = writer.bytes();
    return this.spaceKey ? Buffer.concat([bytes, this.tag(bytes)]) : Buffer.from(bytes);
  }

  /**
   * Reads a frame that anyone may have written.
   *
   * @throws EdgeError `SYNC_VERSION` for another version's, `SYNC_AUTH` for one without the space's key,
   * `SYNC_INVALID` for anything else that no replica sends.
   */
  decode(bytes: Uint8Array): AnyFrame {
    if (bytes.length < 3 || bytes.length > MAX_FRAME_BYTES) {
      throw invalid(`${bytes.length} bytes are no frame`);
    }
    const [version] = bytes;
    if (version !== VERSION && version !== 1) {
      throw new EdgeError(
        'SYNC_VERSION',
        `A frame of version ${version} arrived; this node reads up to version ${VERSION}. Update the package on all gateways.`,
        { version },
      );
    }
    const payload = this.authenticated(bytes);
    const kind = KINDS.at(bytes[1] & ~AUTHENTICATED);
    if (!kind) {
      throw invalid('it cannot be decoded');
    }
    return version === 1 ? readVersion1(kind, payload) : readVersion2(kind, payload, this.knownIds);
  }

  private authenticated(bytes: Uint8Array): Uint8Array {
    const tagged = (bytes[1] & AUTHENTICATED) !== 0;
    if (!this.spaceKey) {
      if (tagged) {
        throw unauthenticated('is protected by a key, which this node does not have. Fill in "spaceKey"');
      }
      return bytes.subarray(2);
    }
    const end = bytes.length - TAG_BYTES;
    if (!tagged || end < 3 || !timingSafeEqual(this.tag(bytes.subarray(0, end)), bytes.subarray(end))) {
      throw unauthenticated('does not carry this space\'s key. Give all its gateways the same "spaceKey"');
    }
    return bytes.subarray(2, end);
  }

  private tag(bytes: Uint8Array): Buffer {
    return createHmac('sha256', this.spaceKey).update(this.space).update('\0').update(bytes).digest();
  }
}

function unauthenticated(problem: string): EdgeError {
  return new EdgeError('SYNC_AUTH', `A frame was refused: it ${problem}.`);
}
