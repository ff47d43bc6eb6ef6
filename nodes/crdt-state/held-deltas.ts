import type { DeltaFrame } from './frames';
import type { Replica } from './replica';
import { entryBytes } from './transfers';

const MAX_HELD = 256;
const MAX_BYTES = 16 * 1024 * 1024;

/** Deltas that came before what they depend on. The oldest give way: what they brought can be fetched. */
export class HeldDeltas {
  private held: { frame: DeltaFrame; bytes: number }[] = [];
  private bytes = 0;

  constructor(private readonly replica: Replica) {}

  hold(frame: DeltaFrame): void {
    const bytes = frame.entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
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
        const readiness = this.replica.readiness(frame);
        if (readiness === 'gap') {
          this.hold(frame);
        } else if (readiness === 'ready' && this.replica.hasRoom(frame.context, frame.entries)) {
          yield* this.replica.joinDelta(frame);
          progress = true;
        }
      }
    }
  }
}
