// The "On Start" code of the function node "Simulated machines" in the template flows; `npm run flows` bundles it.
import { publishSecond, type Published } from './commissioning';
import { Line } from './line';

interface FunctionNodeMessage {
  topic: string;
  payload: unknown;
}

declare const node: { send(outputs: (FunctionNodeMessage | null)[]): void };
declare const context: { set(name: string, value: unknown): void };
declare function setTimeout(action: () => void, delayMs: number): void;

/** Healthy operation that is replayed first, so that the forests know the machines. */
const HISTORY_SECONDS = 1800;
const SECONDS_AT_ONCE = 60;

const line = new Line({ machines: 4, seed: 7, startTs: Date.now() - HISTORY_SECONDS * 1000 });
let second = 0;

function send(published: Published): void {
  const { topic, kind } = published;
  node.send(
    kind === 'telemetry'
      ? [{ topic, payload: published.payload }, null]
      : [null, { topic, payload: Buffer.from(published.payload.buffer) }],
  );
}

function live(): void {
  publishSecond(line, second++).forEach(send);
}

function replay(): void {
  for (let i = 0; i < SECONDS_AT_ONCE; i++) {
    live();
  }
  if (second < HISTORY_SECONDS) {
    setTimeout(replay, 100);
  } else {
    context.set('live', live);
  }
}

context.set('line', line);
replay();
