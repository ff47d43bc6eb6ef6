import { excerpt } from '../../shared/text';
import type { Detection } from '../../shared/messages';
import { shownName } from './bounds';
import type { TrialAnswer } from './result';

const MAX_PROBABILITIES = 100;
const MAX_CONTRIBUTIONS = 50;
const MAX_OUTPUTS = 30;
/** Numbers and texts of all outputs together. */
const MAX_VALUES = 1500;

/** A detection without what is too long for a dialog. */
export function shownDetection(detection: Detection): Pick<TrialAnswer, 'detection' | 'leftOut'> {
  const { label, probabilities, contributions, outputs, model } = detection;
  const classes = probabilities && Object.entries(probabilities).sort(([, a], [, b]) => b - a);
  const values = outputs && new Values().read(outputs);
  return {
    detection: {
      ...detection,
      ...(label !== undefined && { label: shownName(label) }),
      ...(classes && {
        probabilities: Object.fromEntries(
          classes.slice(0, MAX_PROBABILITIES).map(([name, value]) => [shownName(name), value]),
        ),
      }),
      ...(contributions && {
        contributions: contributions
          .slice(0, MAX_CONTRIBUTIONS)
          .map((entry) => ({ ...entry, channel: shownName(entry.channel) })),
      }),
      ...(values && { outputs: values.outputs }),
      ...(model && {
        model: { ...model, name: shownName(model.name), version: shownName(model.version) },
      }),
    },
    leftOut: {
      probabilities: Math.max(0, (classes?.length ?? 0) - MAX_PROBABILITIES),
      contributions: Math.max(0, (contributions?.length ?? 0) - MAX_CONTRIBUTIONS),
      values: values?.leftOut ?? 0,
    },
  };
}

/** Copies outputs until there are too many values; counts the others. */
class Values {
  private taken = 0;
  private leftOut = 0;

  read(outputs: Record<string, unknown>): { outputs: Record<string, unknown>; leftOut: number } {
    const copied: [string, unknown][] = [];
    for (const [name, value] of Object.entries(outputs)) {
      if (copied.length < MAX_OUTPUTS) {
        copied.push([shownName(name), this.copy(value)]);
      } else {
        this.leftOut += countOf(value);
      }
    }
    return { outputs: Object.fromEntries(copied), leftOut: this.leftOut };
  }

  private copy(value: unknown): unknown {
    if (Array.isArray(value)) {
      const copied: unknown[] = [];
      for (const entry of value as unknown[]) {
        if (this.taken < MAX_VALUES) {
          copied.push(this.copy(entry));
        } else {
          this.leftOut += countOf(entry);
        }
      }
      return copied;
    }
    this.taken++;
    return typeof value === 'string' ? excerpt(value) : value;
  }
}

function countOf(value: unknown): number {
  return Array.isArray(value)
    ? (value as unknown[]).reduce<number>((sum, entry) => sum + countOf(entry), 0)
    : 1;
}
