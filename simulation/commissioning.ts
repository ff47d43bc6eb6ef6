import type { Line } from './line';

/** What a machine publishes: a reading, or a waveform of little-endian float32 samples in g. */
export type Published =
  | { kind: 'telemetry'; topic: string; payload: object }
  | { kind: 'vibration'; topic: string; payload: Float32Array };

export const WAVEFORM_SAMPLES = 1024;
/** Hz */
export const WAVEFORM_RATE = 12_800;
/** Seconds between the waveforms of one machine. */
const WAVEFORM_INTERVAL = 5;

/** Lets one second pass on every machine; each also publishes a waveform every few seconds, in turn. */
export function publishSecond(line: Line, second: number): Published[] {
  const published: Published[] = line.step(1).map((reading) => ({ kind: 'telemetry', ...reading }));
  line.machines.forEach((machine, index) => {
    if (second % WAVEFORM_INTERVAL === index % WAVEFORM_INTERVAL) {
      published.push({
        kind: 'vibration',
        topic: line.waveformTopic(machine),
        payload: machine.waveform(WAVEFORM_SAMPLES, WAVEFORM_RATE),
      });
    }
  });
  return published;
}
