import assert from 'node:assert/strict';
import type { EdgeMessage } from '../../nodes/shared/messages';
import { TestRuntime, type FlowNode } from './runtime';

/** The error that a message carries out of a reject output or a Catch node. */
export interface CarriedError {
  message: string;
  code?: string;
  source: { id: string; type: string; name: string };
}

/** What became of one message; `outputs` counts from 0. */
export interface Fate {
  outputs: EdgeMessage[][];
  caught: EdgeMessage[];
  /** One entry for each call of `done`. */
  done: { error: unknown }[];
}

type Completing = { _complete: (msg: EdgeMessage, error?: unknown) => void };

/** Nodes under test, with sinks behind each output, Catch and Complete nodes, and every `done` counted. */
export class MessageBench {
  private readonly done = new Map<string, { error: unknown }[]>();
  private nodes: FlowNode[] = [];
  private count = 0;

  /** @param wires of each output; with two, Node-RED has to copy what is sent */
  constructor(
    readonly runtime: TestRuntime,
    private readonly wires: 1 | 2 = 2,
  ) {}

  /** @param outputs of each node under test, by node type */
  async deploy(
    nodes: FlowNode[],
    others: FlowNode[] = [],
    credentials: Record<string, Record<string, string>> = {},
  ): Promise<void> {
    this.nodes = nodes;
    const flow = nodes.flatMap((node): FlowNode[] => {
      const { id } = node;
      const outputs = outputsOf(node.type);
      return [
        { ...node, wires: outputs.map((n) => [`${id}-out${n}`, `${id}-copy${n}`].slice(0, this.wires)) },
        ...outputs.flatMap((n) => [
          { id: `${id}-out${n}`, type: 'test-sink' },
          { id: `${id}-copy${n}`, type: 'test-sink' },
        ]),
        { id: `${id}-catch`, type: 'catch', scope: [id], wires: [[`${id}-caught`]] },
        { id: `${id}-complete`, type: 'complete', scope: [id], wires: [[`${id}-completed`]] },
        ...['caught', 'completed'].map((sink) => ({ id: `${id}-${sink}`, type: 'test-sink' })),
      ];
    });
    await this.runtime.deploy([...others, ...flow], credentials);
    for (const { id } of nodes) {
      const running = this.runtime.node(id) as unknown as Completing;
      const original = running._complete.bind(running);
      running._complete = (msg, error) => {
        const list = this.done.get(msg._msgid) ?? [];
        list.push({ error });
        this.done.set(msg._msgid, list);
        original(msg, error);
      };
    }
  }

  /** Sends a message in and waits until the node has called `done` and everything it sent has arrived. */
  async send(id: string, msg: object, frozen = false): Promise<Fate> {
    const msgid = `m${++this.count}`;
    const sent = Object.defineProperty(msg, '_msgid', { value: msgid, enumerable: true, writable: true });
    this.runtime.inject(id, frozen ? Object.freeze(sent) : sent);
    await this.runtime.until(() => this.done.has(msgid), `done of ${id} for message ${msgid}`);
    return this.fate(id, msgid);
  }

  /** What has become of a message by now. */
  async fate(id: string, msgid: string): Promise<Fate> {
    for (let turn = 0; turn < 8; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const of = (sink: string): EdgeMessage[] =>
      this.runtime.messages(`${id}-${sink}`).filter(({ _msgid }) => _msgid === msgid);
    const node = this.nodes.find((known) => known.id === id);
    return {
      outputs: outputsOf(node?.type ?? '').map((n) => of(`out${n}`)),
      caught: of('caught'),
      done: this.done.get(msgid) ?? [],
    };
  }

  /** Sends a message that must be refused with a code to the Catch node and nowhere else. */
  async refuse(id: string, msg: object, code: string): Promise<CarriedError> {
    const { outputs, caught, done } = await this.send(id, msg);
    const error = errorOf(caught.at(0));
    assert.equal(error?.code, code, error?.message ?? `no error; outputs ${JSON.stringify(outputs)}`);
    assert.deepEqual([caught.length, done.length, outputs.flat().length], [1, 1, 0], error.message);
    return assertHelpful(error);
  }

  /** Sends a message that must come out of the reject output with a code, as it went in, and nowhere else. */
  async reject(id: string, msg: object, output: number, code: string): Promise<CarriedError> {
    const { payload } = msg as { payload?: unknown };
    const before = copyOf(payload);
    const { outputs, caught, done } = await this.send(id, msg);
    const rejected = outputs[output].at(0);
    const error = errorOf(rejected);
    assert.equal(
      error?.code,
      code,
      error?.message ?? `not refused: ${String(errorOf(caught.at(0))?.message)}`,
    );
    assert.deepEqual([outputs.flat().length, caught.length], [1, 0], error.message);
    assert.deepEqual(done, [{ error: undefined }]);
    const node = this.nodes.find((known) => known.id === id);
    assert.deepEqual(error.source, { id, type: node?.type, name: node?.['name'] ?? '' });
    assert.equal(rejected?.payload, payload, 'the payload is the one that came');
    assert.deepEqual(rejected?.payload, before, 'the payload is untouched');
    return assertHelpful(error);
  }

  /** Sends a good message and returns what came out of an output. */
  async accept(id: string, msg: object, output: number): Promise<EdgeMessage> {
    const { outputs, caught, done } = await this.send(id, msg);
    assert.deepEqual(done, [{ error: undefined }], errorOf(caught.at(0))?.message);
    assert.equal(outputs[output].length, 1, `output ${output + 1}: ${JSON.stringify(outputs)}`);
    return outputs[output][0];
  }
}

export function errorOf(msg: EdgeMessage | undefined): CarriedError | undefined {
  return (msg as { error?: CarriedError } | undefined)?.error;
}

const OUTPUTS: Partial<Record<string, number>> = { 'sensor-ingest': 3 };

function outputsOf(type: string): number[] {
  return Array.from({ length: OUTPUTS[type] ?? 2 }, (_, index) => index);
}

/** An error says in a sentence what is wrong and in another what to do. */
function assertHelpful(error: CarriedError | undefined): CarriedError {
  assert.ok(error);
  const { message, code } = error;
  assert.ok(message.length >= 40 && /[.:;,] \w/.test(message), `${code}: "${message}" says too little`);
  assert.doesNotMatch(message, /\[object |undefined|is not a function|Cannot read/, message);
  return error;
}

function copyOf(value: unknown): unknown {
  try {
    return Buffer.isBuffer(value) ? Buffer.from(value) : structuredClone(value);
  } catch {
    return value;
  }
}
