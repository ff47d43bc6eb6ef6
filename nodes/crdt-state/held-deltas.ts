import type { DeltaFrame, ShortFrame } from './frame';
import type { Replica } from './replica';
import type { ReplicaNames } from './replica-names';
import { hasRoom } from './room';
import { entryBytes } from './transfers';
import { counterOf } from './version-vector';

const MAX_HELD = 256;
const MAX_BYTES = 16 * 1024 * 1024;

type Held = DeltaFrame | ShortFrame;

/**
 * Deltas that came before what they depend on, or before the keys that they name shortly. The oldest give way: what
 * they brought can be fetched.
 */
export class HeldDeltas {
  private held: { frame: Held; bytes: number }[] = [];
  private bytes = 0;

  constructor(
    private readonly replica: Replica,
    private readonly names: ReplicaNames,
  ) {}

  hold(frame: Held): void {
    const bytes =
      frame.kind === 'short' ? frame.bytes : frame.entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
    this.held.push({ frame, bytes });
    this.bytes += bytes;
    while (this.held.length > MAX_HELD || this.bytes > MAX_BYTES) {
      this.bytes -= this.held.shift()?.bytes ?? 0;
    }
  }

  /** Joins all whose time has come. */
  *join(): Generator<void, void> {
    for (let progress = true; progress;) {
      progress = false;
      const waiting = this.held;
      this.held = [];
      this.bytes = 0;
      for (const { frame } of waiting) {
        const delta = this.readable(frame);
        const readiness = delta ? this.replica.readiness(delta) : 'gap';
        if (readiness === 'gap' && !this.isKnown(frame)) {
          this.hold(frame);
        } else if (delta && readiness === 'ready' && hasRoom(this.replica, delta.context, delta.entries)) {
          yield* this.replica.joinDelta(delta);
          progress = true;
        }
      }
    }
  }

  private readable(frame: Held): DeltaFrame | undefined {
    if (frame.kind === 'delta') {
      return frame;
    }
    const expanded = this.isKnown(frame) ? undefined : frame.expand(this.names.book);
    return expanded?.kind === 'delta' ? expanded : undefined;
  }

  private isKnown({ sender, context }: Held): boolean {
    return counterOf(this.replica.context, sender) >= counterOf(context, sender);
  }
}
