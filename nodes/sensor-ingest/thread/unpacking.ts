import { EdgeError } from '../../shared/errors';
import type { Window } from '../../shared/messages';
import type { ReadMessage } from '../message-reader';
import { hexOf } from '../rows/digest';
import { setField } from '../rows/paths';
import type { RowReading } from '../rows/row-reader';
import { MESSAGE, QUALITIES, ROW, type Delivery, type PackedDeliveries } from './packing';

/** Unpacks on the main thread what one packer has packed, every batch of it in its order. */
export class DeliveryUnpacker {
  private shapes: (readonly string[])[] = [];

  unpack(packed: PackedDeliveries): Delivery[] {
    if (packed.renumbered) {
      this.shapes = [];
    }
    this.shapes.push(...packed.shapes);
    const batch = new Unpacking(packed, this.shapes);
    return Array.from({ length: packed.count }, () => batch.delivery());
  }
}

/** One batch, read from its beginning to its end. */
class Unpacking {
  private at = 0;
  private text = 0;
  private payload = 0;
  private error = 0;

  constructor(
    private readonly packed: PackedDeliveries,
    private readonly shapes: readonly (readonly string[])[],
  ) {}

  delivery(): Delivery {
    const { payloads } = this.packed;
    const topic = this.nextText();
    const flags = this.next();
    const bytes = this.next();
    const rows = this.next();
    const payload = flags & MESSAGE.payload ? payloads[this.payload++] : undefined;
    let read: Delivery['read'];
    if (flags & MESSAGE.refused) {
      read = this.nextError();
    } else if (flags & MESSAGE.read) {
      read = this.message(topic, bytes, rows, (flags & MESSAGE.batch) !== 0);
    }
    return {
      topic,
      qos: (flags & MESSAGE.qos) as Delivery['qos'],
      retain: (flags & MESSAGE.retain) !== 0,
      read,
      payload,
    };
  }

  private message(topic: string, bytes: number, rows: number, batch: boolean): ReadMessage {
    const readings: RowReading[] = [];
    for (let row = 0; row < rows; row++) {
      readings.push(this.row(topic));
    }
    return { readings, batch, bytes };
  }

  private row(topic: string): RowReading {
    const flags = this.next();
    const names = this.shapes[this.next()];
    const ts = this.next();
    const jsonBytes = this.next();
    const fingerprint = flags & ROW.fingerprint ? { high: this.next(), low: this.next() } : undefined;
    const window = flags & ROW.window ? this.window((flags & ROW.sampleRate) !== 0) : undefined;
    const payload: Record<string, number> = {};
    for (const name of names) {
      setField(payload, name, this.next());
    }
    return {
      source: flags & ROW.sourceIsTopic ? topic : this.nextText(),
      payload,
      ts,
      timed: (flags & ROW.timed) !== 0,
      id: fingerprint && flags & ROW.idIsFingerprint ? hexOf(fingerprint) : this.nextText(),
      fingerprint,
      quality: QUALITIES[flags & ROW.quality],
      historical: (flags & ROW.historical) !== 0,
      window,
      jsonBytes,
    };
  }

  private window(rated: boolean): Window {
    const window: Window = { start: this.next(), end: this.next(), count: this.next() };
    const sampleRate = this.next();
    if (rated) {
      window.sampleRate = sampleRate;
    }
    return window;
  }

  private next(): number {
    return this.packed.numbers[this.at++];
  }

  private nextText(): string {
    return this.packed.texts[this.text++];
  }

  private nextError(): EdgeError {
    const { code, message, details } = this.packed.errors[this.error++];
    return new EdgeError(code, message, details);
  }
}
