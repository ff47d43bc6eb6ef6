import { EventEmitter, once } from 'node:events';
import type { Random } from '../../nodes/shared/random';
import type { FlowNode } from './runtime';
import { Station, type StationOptions } from './station';
import type { WriteOracle } from './write-oracle';

export const SPACE = 'line';
const WINDOW = 4;

/** The nodes around the `crdt-state` with the id `state`: a Complete node tells what was acknowledged. */
export function stateFlow(gatewayId: string, properties: object, more: FlowNode[] = []): FlowNode[] {
  return [
    { id: 'tab', type: 'tab' },
    { id: 'gateway', type: 'edge-gateway', gatewayId },
    ...[
      {
        id: 'state',
        type: 'crdt-state',
        gateway: 'gateway',
        space: SPACE,
        flushMs: 50,
        rules: [
          { pattern: 'count/#', strategy: 'counter' },
          { pattern: 'set/#', strategy: 'set' },
        ],
        wires: [['is-reply'], []],
        ...properties,
      },
      {
        id: 'is-reply',
        type: 'switch',
        property: 'state.origin',
        propertyType: 'msg',
        rules: [{ t: 'eq', v: 'reply', vt: 'str' }],
        wires: [['replies']],
      },
      { id: 'replies', type: 'test-sink', wires: [] },
      { id: 'complete', type: 'complete', scope: ['state'], wires: [['done']] },
      { id: 'done', type: 'test-sink', wires: [] },
      { id: 'catch', type: 'catch', scope: null, wires: [['caught']] },
      { id: 'caught', type: 'test-sink', wires: [] },
      { id: 'status', type: 'status', scope: ['state'], wires: [['shown']] },
      { id: 'shown', type: 'test-sink', wires: [] },
      ...more,
    ].map((node) => ({ z: 'tab', ...node })),
  ];
}

export function brokerNode(url: string): FlowNode {
  return { id: 'broker', type: 'edge-broker', url, keepalive: 2 };
}

/** A Node-RED process with a replica, which a test writes to and looks at from outside. */
export class StateGateway extends EventEmitter {
  /** What its status says. */
  shown = '';
  /** Errors that a Catch node has heard of. */
  readonly caught: { message: string; code?: string }[] = [];
  private asked = 0;
  private readonly waiting = new Map<number, () => void>();
  private writing = false;
  private writers: Promise<void>[] = [];

  private started: Station | undefined;

  private constructor(readonly name: string) {
    super();
    this.setMaxListeners(0);
  }

  static async start(name: string, options: StationOptions): Promise<StateGateway> {
    const gateway = new StateGateway(name);
    gateway.started = await Station.start({ ...options, onSink: (id, msg) => gateway.heard(id, { ...msg }) });
    return gateway;
  }

  get station(): Station {
    if (!this.started) {
      throw new Error(`${this.name} has not started`);
    }
    return this.started;
  }

  /** Sends one write; resolves when it is acknowledged, and never if the process dies before. */
  async write({ write, done }: ReturnType<WriteOracle['write']>): Promise<void> {
    await new Promise<void>((resolve) => {
      this.waiting.set(++this.asked, resolve);
      this.station.inject('state', { ...write, asked: this.asked });
    });
    done();
  }

  /** Writes without end, a few at a time, until {@link StateGateway.pause}. */
  keepWriting(oracle: WriteOracle, random: Random): void {
    this.writing = true;
    const writeOn = async (): Promise<void> => {
      while (this.writing) {
        await this.write(oracle.write(this.name));
        this.emit('acknowledged');
        // A pace that leaves the machine to others; no test depends on it.
        await new Promise((resolve) => setTimeout(resolve, random.int(20)));
      }
    };
    this.writers = Array.from({ length: WINDOW }, writeOn);
  }

  async pause(): Promise<void> {
    this.writing = false;
    await Promise.all(this.writers);
  }

  async snapshot(): Promise<Record<string, unknown>> {
    const reply = `reply ${++this.asked}`;
    this.station.inject('state', { operation: 'snapshot', asked: reply });
    const [state] = (await once(this, reply, { signal: AbortSignal.timeout(20_000) })) as [
      Record<string, unknown>,
    ];
    return state;
  }

  async kill(): Promise<void> {
    this.writing = false;
    await this.station.kill();
    this.waiting.clear();
    this.writers = [];
  }

  /** Waits until the status has a text in it. */
  async shows(text: string, timeoutMs = 30_000): Promise<void> {
    const deadline = AbortSignal.timeout(timeoutMs);
    while (!this.shown.includes(text)) {
      try {
        await once(this, 'shown', { signal: deadline });
      } catch {
        throw new Error(`${this.name} shows "${this.shown}" instead of "${text}"`);
      }
    }
  }

  private heard(id: string, msg: Record<string, unknown>): void {
    if (id === 'done') {
      this.waiting.get(Number(msg.asked))?.();
      this.waiting.delete(Number(msg.asked));
    } else if (id === 'replies') {
      this.emit(String(msg.asked), msg.payload);
    } else if (id === 'caught') {
      this.caught.push(msg.error as { message: string; code?: string });
      this.emit('caught');
    } else if (id === 'shown') {
      this.shown = (msg.status as { text?: string }).text ?? '';
      this.emit('shown');
    }
  }
}

/** Waits until all gateways hold the same and an oracle has nothing against it; gives back what they hold. */
export async function level(
  gateways: readonly StateGateway[],
  oracle: WriteOracle,
  timeoutMs = 40_000,
): Promise<Record<string, unknown>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const states = await Promise.all(gateways.map((gateway) => gateway.snapshot()));
    const [first] = states;
    const differing = states.findIndex(
      (state) => JSON.stringify(sorted(state)) !== JSON.stringify(sorted(first)),
    );
    const faults = oracle.faults(first);
    if (differing === -1 && faults.length === 0) {
      return first;
    }
    if (Date.now() > deadline) {
      const shown = gateways
        .map(({ name, shown, caught }) => `${name}: ${shown} ${JSON.stringify(caught.slice(-3))}`)
        .join('; ');
      throw new Error(
        differing === -1
          ? `All agree, but ${faults.join('; ')}`
          : `${gateways[differing].name} differs (${shown})`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function sorted(state: Record<string, unknown>): [string, unknown][] {
  return Object.entries(state).sort(([a], [b]) => (a < b ? -1 : 1));
}
