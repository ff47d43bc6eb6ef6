/**
 * A flow that starts with many messages waiting, as a program of its own: prints how many bytes of short-lived objects V8 made
 * among its old ones afterwards. With `young` as its argument messages are kept young.
 */
import { getHeapSpaceStatistics } from 'node:v8';
import { keepMessagesYoung } from '../../nodes/shared/young-messages';
import { collectGarbage } from './held-memory';

const WAITING = 600_000;
const KEPT = 300_000;
const MESSAGES = 400_000;

interface Message {
  id: number;
  payload: { value: number };
  reading: { seq: number; source: string };
}

function messageOf(id: number): Message {
  return { id, payload: { value: id / 3 }, reading: { seq: id, source: 'machine' } };
}

function oldBytes(): number {
  const old = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space');
  return old?.space_used_size ?? 0;
}

if (process.argv[2] === 'young') {
  keepMessagesYoung();
}
// V8 begins anew when a full collection leaves little of the old objects; a gateway has more of them than that.
const kept = Array.from({ length: KEPT }, (_, place) => ({ place, name: `kept ${place}` }));
let waiting: Message[] = [];
for (let id = 0; id < WAITING; id++) {
  waiting.push(messageOf(id));
}
waiting = [];
collectGarbage();
const before = oldBytes();
let sum = 0;
for (let id = 0; id < MESSAGES; id++) {
  sum += messageOf(id).reading.seq;
  waiting[id % 100] = messageOf(id);
}
process.stdout.write(JSON.stringify({ grown: oldBytes() - before, sum, kept: kept.length }));
