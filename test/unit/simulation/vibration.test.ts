import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Machine } from '../../../simulation/machine';

const SAMPLE_RATE = 10_000;

function shape(waveform: Float32Array): { rms: number; kurtosis: number; crest: number } {
  let square = 0;
  let fourth = 0;
  let peak = 0;
  for (const value of waveform) {
    square += value ** 2 / waveform.length;
    fourth += value ** 4 / waveform.length;
    peak = Math.max(peak, Math.abs(value));
  }
  return { rms: Math.sqrt(square), kurtosis: fourth / square ** 2, crest: peak / Math.sqrt(square) };
}

/** Amplitude at one frequency (Goertzel by plain correlation). */
function amplitudeAt(waveform: Float32Array, frequency: number): number {
  let [cosine, sine] = [0, 0];
  for (const [i, value] of waveform.entries()) {
    cosine += value * Math.cos((2 * Math.PI * frequency * i) / SAMPLE_RATE);
    sine += value * Math.sin((2 * Math.PI * frequency * i) / SAMPLE_RATE);
  }
  return (2 * Math.hypot(cosine, sine)) / waveform.length;
}

describe('a vibration waveform', () => {
  it('has the rms that the telemetry reports, healthy and with a bearing defect', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const machine = new Machine({ id: 'cnc-01', seed });
      for (const fault of [undefined, 'bearing'] as const) {
        if (fault) {
          machine.inject(fault, 60);
        }
        const reading = machine.step(20);
        const { rms } = shape(machine.waveform(8192, SAMPLE_RATE));
        assert.ok(
          Math.abs(rms / reading.vibration - 1) < 0.12,
          `${rms} g, ${reading.vibration} g, seed ${seed}`,
        );
      }
    }
  });

  it('holds the speed of the shaft and the passing of the teeth', () => {
    const machine = new Machine({ id: 'cnc-01', seed: 3 });
    const { rotational_speed: speed } = machine.step(1);
    const waveform = machine.waveform(8192, SAMPLE_RATE);
    const between = amplitudeAt(waveform, (speed / 60) * 1.5);
    assert.ok(amplitudeAt(waveform, speed / 60) > 4 * between);
    assert.ok(amplitudeAt(waveform, (4 * speed) / 60) > 4 * between);
  });

  it('becomes louder and spiky with a bearing defect, in any window of 2,048 samples', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const machine = new Machine({ id: 'cnc-01', seed });
      machine.step(60);
      const healthy = shape(machine.waveform(2048, SAMPLE_RATE));
      assert.ok(healthy.rms > 0.25 && healthy.rms < 0.55, `${healthy.rms} g, seed ${seed}`);
      assert.ok(healthy.kurtosis < 3 && healthy.crest < 4, JSON.stringify({ healthy, seed }));
      machine.inject('bearing', 60);
      machine.step(20);
      const defective = shape(machine.waveform(2048, SAMPLE_RATE));
      assert.ok(defective.rms > 1.7 * healthy.rms, JSON.stringify({ healthy, defective, seed }));
      assert.ok(defective.kurtosis > 6 && defective.crest > 4.5, JSON.stringify({ defective, seed }));
    }
  });
});
