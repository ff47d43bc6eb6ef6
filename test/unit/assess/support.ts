import { Line } from '../../../simulation/index';
import { payloadBytes } from '../../../assess/read-sample';
import type { SampleMessage } from '../../../assess/sample';

export const START = Date.UTC(2026, 0, 1);

export function message(topic: string, payload: unknown, at: number): SampleMessage {
  return { topic, payload, at, bytes: payloadBytes(payload) };
}

/** One message a second of each simulated machine. */
export function simulated(machines: number, seconds: number): SampleMessage[] {
  const line = new Line({ machines, seed: 1, startTs: START });
  return Array.from({ length: seconds }, (_, second) =>
    line.step(1).map(({ topic, payload }) => message(topic, payload, START + second * 1000)),
  ).flat();
}
