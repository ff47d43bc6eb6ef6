import { encodePayload } from '../../nodes/sensor-ingest/preview/sample';
import { sizeOf } from '../../nodes/sensor-ingest/preview/recorder';
import type { Sample as Written } from '../../nodes/sensor-ingest/preview/result';

/** What may wait for the thread, in characters. */
const MAX_WAITING = 2 * 1024 * 1024;
/** A larger payload takes too long to write down in the middle of a flow. */
const MAX_PAYLOAD = 128 * 1024;
const MAX_TOPIC = 1024;

/**
 * Writes down what a node receives, in portions for the thread that keeps it. Runs on every message, and never throws; a
 * message that is too large, too deep or too many is only counted.
 */
export class Capture {
  /** Messages that came. */
  count = 0;
  /** Those of them that are not written down. */
  leftOut = 0;
  private waiting: Written[] = [];
  private size = 0;

  take(msg: { topic?: unknown; payload?: unknown }, at: number): void {
    this.count++;
    try {
      const topic = typeof msg.topic === 'string' ? msg.topic : '';
      if (
        this.size >= MAX_WAITING ||
        topic.length > MAX_TOPIC ||
        msg.payload === undefined ||
        sizeOf(msg.payload) > MAX_PAYLOAD
      ) {
        this.leftOut++;
        return;
      }
      const written = { topic, at, ...encodePayload(msg.payload) };
      this.waiting.push(written);
      this.size += written.payload.length + topic.length;
    } catch {
      this.leftOut++;
    }
  }

  /** What came since the last time. */
  portion(): Written[] {
    const { waiting } = this;
    this.waiting = [];
    this.size = 0;
    return waiting;
  }
}
