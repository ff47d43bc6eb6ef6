import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Timer } from '../../../nodes/shared/clock';
import type { RowSet } from '../../../nodes/shared/detection/rows';
import { Detector, type DetectorOptions } from '../../../nodes/onnx-detect/detector';
import { parseCard, type ModelCard } from '../../../nodes/onnx-detect/model/card';
import {
  serveModel,
  type ServedModel,
  type ServingOptions,
} from '../../../nodes/onnx-detect/model/served-model';
import type {
  InferenceBackend,
  InferenceSession,
  SessionInfo,
  TensorData,
  ValueInfo,
} from '../../../nodes/onnx-detect/runtime/backend';
import { SharedSessions } from '../../../nodes/onnx-detect/runtime/shared-sessions';

/** Time that moves when a test says so. */
export class ManualClock implements Clock {
  private time = 0;
  private timers: { at: number; action: () => void }[] = [];

  now(): number {
    return 1_700_000_000_000 + this.time;
  }

  monotonic(): number {
    return this.time;
  }

  after(delayMs: number, action: () => void): Timer {
    const timer = { at: this.time + delayMs, action };
    this.timers.push(timer);
    return { cancel: () => void (this.timers = this.timers.filter((other) => other !== timer)) };
  }

  advance(ms: number): void {
    this.time += ms;
    const due = this.timers.filter(({ at }) => at <= this.time);
    this.timers = this.timers.filter(({ at }) => at > this.time);
    for (const { action } of due) {
      action();
    }
  }
}

/** Answers a run of so many rows with a number for each output value. */
export type Compute = (feeds: Record<string, TensorData>) => Record<string, TensorData>;

/** A backend whose model is a function, and whose runs can be held up. */
export class FakeBackend implements InferenceBackend {
  readonly runs: TensorData[] = [];
  inFlight = 0;
  mostInFlight = 0;
  released = 0;
  loads = 0;
  /** Awaited by each run. */
  hold: () => Promise<void> = () => Promise.resolve();
  private readonly lossListeners: (() => void)[] = [];

  constructor(
    private readonly info: SessionInfo,
    private readonly compute: Compute,
  ) {}

  load(): Promise<InferenceSession> {
    this.loads++;
    return Promise.resolve({
      info: this.info,
      run: async (feeds) => {
        this.runs.push(...Object.values(feeds));
        this.inFlight++;
        this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
        await this.hold();
        this.inFlight--;
        return this.compute(feeds);
      },
      onLost: (listener) => void this.lossListeners.push(listener),
      release: () => {
        this.released++;
        return Promise.resolve();
      },
    });
  }

  /** The runtime dies. */
  die(): void {
    for (const listener of this.lossListeners.splice(0)) {
      listener();
    }
  }
}

export function tensor(name: string, type: string, ...shape: (number | string)[]): ValueInfo {
  return { name, type, shape };
}

/** A model with one float32 input `x` of `width` numbers and one output `y` that holds `perRow` of the row's values. */
export function rowModel(
  width: number,
  perRow: (row: number[]) => number[],
  output = 'y',
): { info: SessionInfo; compute: Compute } {
  const size = perRow(new Array<number>(width).fill(0)).length;
  return {
    info: {
      inputs: [tensor('x', 'float32', 'N', width)],
      outputs: [tensor(output, 'float32', 'N', size)],
      provider: 'cpu',
    },
    compute: ({ x }) => {
      const rows = x.dims[0];
      const values = Array.from({ length: rows }, (_, row) =>
        perRow(Array.from({ length: width }, (_unused, at) => Number(x.data[row * width + at]))),
      ).flat();
      return { [output]: { type: 'float32', dims: [rows, size], data: Float32Array.from(values) } };
    },
  };
}

export const SERVING: ServingOptions = {
  features: [],
  providers: ['cpu'],
  task: 'auto',
  output: '',
  positive: '',
  threshold: undefined,
};

export function card(fields: object): ModelCard {
  return parseCard(JSON.stringify(fields), 'test.json');
}

export function serve(
  backend: InferenceBackend,
  options: Partial<ServingOptions> = {},
  modelCard?: ModelCard,
  digest = 'd1',
): Promise<ServedModel> {
  const file = { name: 'test', bytes: new Uint8Array(1), digest, card: modelCard, path: '', isBuiltin: true };
  const sessions = new SharedSessions(backend);
  return serveModel(file, ({ bytes }, providers) => sessions.acquire(digest, providers, bytes), {
    ...SERVING,
    ...options,
  });
}

export const DETECTOR: DetectorOptions = {
  node: 'detector',
  missing: 'reject',
  batchSize: 64,
  batchDelayMs: 0,
  queueLimit: 10_000,
  overload: 'reject',
  alarm: { votes: 1, voteWindow: 1, holdOffMs: 0 },
};

export function detectorWith(
  options: Partial<DetectorOptions> = {},
  clock: Clock = new ManualClock(),
): Detector {
  return new Detector({ ...DETECTOR, ...options }, clock);
}

/** A message's rows: one reading, or a batch. */
export function reading(payload: unknown, source = 's', ts = 0): RowSet {
  return { batch: false, rows: [{ payload, reading: undefined, detections: [], source, ts }] };
}

export function batchOf(payloads: unknown[], source = 's'): RowSet {
  return {
    batch: true,
    rows: payloads.map((payload, at) => ({ payload, reading: undefined, detections: [], source, ts: at })),
  };
}

export const fixtures = join(process.cwd(), 'test', 'fixtures', 'onnx');

export interface Expected {
  rows: (number | boolean)[][];
  outputs: Record<string, unknown[]>;
  raw?: number[][];
  score?: number[];
}

export function expectedAnswers(): Record<string, Expected> {
  return JSON.parse(readFileSync(join(fixtures, 'expected.json'), 'utf8')) as Record<string, Expected>;
}

/** Asserts that an error has this code and that its message names what is at fault. */
export function coded(code: string, ...parts: (string | RegExp)[]): (thrown: unknown) => boolean {
  return (thrown) => {
    const { code: actual, message } = thrown as { code: string; message: string };
    if (actual !== code) {
      throw new Error(`expected ${code}, got ${actual}: ${message}`);
    }
    for (const part of parts) {
      if (typeof part === 'string' ? !message.includes(part) : !part.test(message)) {
        throw new Error(`message lacks ${part}: ${message}`);
      }
    }
    return true;
  };
}
