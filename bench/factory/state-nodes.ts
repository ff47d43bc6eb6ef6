/** Nodes of a measured Node-RED around its `crdt-state`: they make its writes, and log them where a kill cannot reach. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { Detection } from '../../nodes/shared/messages';
import type { ProbeOrder } from './protocol';
import { say } from './say';
import { doneLine, sentLine } from './state-oracle';
import { StateWrites, type StateWrite } from './state-writes';

export const STATE_NODES = [
  'bench-state-writer',
  'bench-state-sent',
  'bench-state-done',
  'bench-state-answer',
] as const;

/** What a gateway says of its replica when it is asked. */
export interface StateAnswer {
  asked: number;
  /** Keys with a write that some peer has not acknowledged. */
  pending: number;
  state: Record<string, unknown>;
}

const TICK_MS = 500;
/** What is written of the plant at each tick, beside the sources. */
const OF_THE_PLANT = 2;

interface WriterDef extends NodeDef {
  /** Writes a second, about. */
  perSecond: number;
}

interface LogDef extends NodeDef {
  file: string;
  gateway: string;
}

/** A write with its number on its way through `crdt-state`. */
interface Numbered extends Partial<StateWrite> {
  benchWrite?: number;
}

interface Answered {
  asked?: number;
  payload: Record<string, unknown>;
  state?: { origin: string; pending: number };
}

export function registerStateNodes(RED: NodeAPI): void {
  RED.nodes.registerType('bench-state-writer', function (this: Node, definition: WriterDef) {
    RED.nodes.createNode(this, definition);
    const atOnce = Math.round((definition.perSecond * TICK_MS) / 1000) - OF_THE_PLANT;
    const writes = new StateWrites(Math.max(1, atOnce));
    const write = (some: readonly StateWrite[]): void => some.forEach((each) => this.send({ ...each }));
    const timer = setInterval(() => write(writes.due()), TICK_MS);
    const onOrder = ({ probe }: Partial<ProbeOrder>): void => {
      if (probe === 'still') {
        clearInterval(timer);
        write(writes.last());
      }
    };
    process.on('message', onOrder);
    this.on('input', (msg, _send, done) => {
      writes.take((msg as unknown as { detection: Detection }).detection);
      done();
    });
    this.on('close', () => {
      clearInterval(timer);
      process.off('message', onOrder);
    });
  });

  RED.nodes.registerType('bench-state-sent', function (this: Node, definition: LogDef) {
    RED.nodes.createNode(this, definition);
    const file = openSync(definition.file, 'a');
    // Above those of an earlier process, which knew no more than its own either.
    let number = Date.now() * 1000;
    this.on('input', (msg, send, done) => {
      const write = msg as Numbered;
      const { topic: key = '', operation = 'set', payload } = write;
      number++;
      if (operation === 'set') {
        write.payload = { ...(payload as object), gateway: definition.gateway, number };
      }
      write.benchWrite = number;
      const amount = operation === 'increment' ? Number(payload) : 0;
      writeSync(file, sentLine({ number, operation, amount, key }));
      send(msg);
      done();
    });
    this.on('close', () => closeSync(file));
  });

  RED.nodes.registerType('bench-state-done', function (this: Node, definition: LogDef) {
    RED.nodes.createNode(this, definition);
    const file = openSync(definition.file, 'a');
    this.on('input', (msg, _send, done) => {
      const { benchWrite } = msg as Numbered;
      if (benchWrite !== undefined) {
        writeSync(file, doneLine(benchWrite));
      }
      done();
    });
    this.on('close', () => closeSync(file));
  });

  RED.nodes.registerType('bench-state-answer', function (this: Node, definition: NodeDef) {
    RED.nodes.createNode(this, definition);
    this.on('input', (msg, _send, done) => {
      const { asked, payload, state } = msg as unknown as Answered;
      if (asked !== undefined && state?.origin === 'reply') {
        say('state', { asked, pending: state.pending, state: payload } satisfies StateAnswer);
      }
      done();
    });
  });
}
