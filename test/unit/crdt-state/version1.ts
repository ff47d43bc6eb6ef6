import { Packr } from 'msgpackr';
import type { Frame } from '../../../nodes/crdt-state/frames';
import type { Entry } from '../../../nodes/crdt-state/replica';

const KINDS = ['delta', 'vector', 'request', 'reply', 'farewell'];
const packr = new Packr({ useRecords: false, mapsAsObjects: true });

/** A frame as version 1 of the protocol wrote it, without a key. */
export function encodeVersion1(frame: Frame): Buffer {
  const table = [...new Set([frame.sender, ...frame.context.keys()])];
  const counters = (vector: ReadonlyMap<string, number>): number[] => table.map((id) => vector.get(id) ?? 0);
  const body: unknown[] = [table, 0, counters(frame.context)];
  switch (frame.kind) {
    case 'delta':
      body.push(frame.from, columns(frame.entries, table));
      break;
    case 'vector':
      body.push(frame.strategies, frame.hello);
      break;
    case 'request':
      body.push(frame.target, frame.transfer, frame.chunks);
      break;
    case 'reply': {
      const { target, transfer, index, total, floor, entries } = frame;
      body.push(target, transfer, index, total, floor ? counters(floor) : null, columns(entries, table));
      break;
    }
    case 'farewell':
      break;
  }
  return Buffer.concat([Buffer.from([1, KINDS.indexOf(frame.kind)]), packr.pack(body)]);
}

function columns(entries: readonly Entry[], table: readonly string[]): unknown[] {
  const siblings = entries.flatMap(([, each]) => each);
  const first = siblings.reduce((least, { stamp }) => Math.min(least, stamp), Infinity);
  return [
    entries.map(([key]) => key),
    entries.map(([, each]) => each.length),
    siblings.map(({ replica }) => table.indexOf(replica)),
    siblings.map(({ counter }) => counter),
    Number.isFinite(first) ? first : 0,
    siblings.map(({ stamp }) => stamp - first),
    siblings.map(({ text }) => text),
  ];
}
