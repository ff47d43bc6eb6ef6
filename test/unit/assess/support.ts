import { Line } from '../../../simulation/index';
import { payloadBytes } from '../../../assess/read-sample';
import { assess, type Assessment, type AssessmentRequest } from '../../../assess/assessment';
import { SampleBuilder, type SampleMessage } from '../../../assess/sample';

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

/** The messages assessed on a machine on which each look at the clock takes 0.01 ms. */
export function assessed(
  messages: readonly SampleMessage[],
  changed: Partial<AssessmentRequest> = {},
): Assessment {
  const builder = new SampleBuilder();
  messages.forEach((one) => builder.add(one));
  let time = 0;
  return assess({
    ...{ sample: builder.sample(), ingest: {}, given: {}, origin: 'line.ndjson', now: START },
    machine: { processor: 'test', cores: 2, memoryBytes: 8e9 },
    monotonic: () => (time += 0.01),
    ...changed,
  });
}
