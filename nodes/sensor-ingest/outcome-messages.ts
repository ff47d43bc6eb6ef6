import type { NodeAPI } from 'node-red';
import type { Emit } from '../shared/edge-node';
import type { EdgeMessage } from '../shared/messages';
import type { Outcome } from './acceptance';

/** The node's outputs, counted from 0. */
export const READINGS = 0;
export const REDUCED = 1;
export const REJECTS = 2;

/** The message itself passes through with its reading; where it gives several, each has its own copy. */
export function sendOutcomes(msg: EdgeMessage, outcomes: readonly Outcome[], emit: Emit): void {
  if (outcomes.length === 1 && !outcomes[0].reduction) {
    emit(READINGS, Object.assign(msg, partsOf(outcomes[0])));
    return;
  }
  const reduced = outcomes.filter(({ reduction }) => reduction);
  const readings = outcomes.filter(({ reduction }) => !reduction);
  const copies = reduced.map((outcome): EdgeMessage => ({ ...msg, ...partsOf(outcome) }));
  if (readings.length === 1) {
    emit(READINGS, Object.assign(msg, partsOf(readings[0])));
  } else {
    const base = { ...msg };
    readings.forEach((outcome) => emit(READINGS, { ...base, ...partsOf(outcome) }));
  }
  copies.forEach((copy) => emit(REDUCED, copy));
}

function partsOf({ payload, reading, reduction }: Outcome): object {
  return { topic: reading.source, payload, reading, ...(reduction && { reduction }) };
}

export function newMessage(RED: NodeAPI, properties: Omit<EdgeMessage, '_msgid'>): EdgeMessage {
  return { _msgid: RED.util.generateId(), ...properties };
}
