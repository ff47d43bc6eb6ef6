import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FlowNode } from './runtime';
import { Station, type StationOptions } from './station';
import { QUICK } from './uplink-flow';

/** A server that takes what uplinks deliver, by the id that they give it. */
export class Receiver {
  readonly bodies = new Map<string, string>();
  /** Ids that came with two bodies. */
  readonly faults: string[] = [];
  /** While false every request is answered 503. */
  accepts = true;
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (this.accepts && !String(request.headers['edge-topic']).startsWith('edge/ledger/')) {
          this.take(String(request.headers['idempotency-key']), Buffer.concat(chunks).toString());
        }
        response.statusCode = this.accepts ? 204 : 503;
        response.end();
      });
    });
  }

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    receiver.server.listen(0, '127.0.0.1');
    receiver.server.unref();
    await once(receiver.server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  /** Texts that came under one id each; one under two is there twice. */
  get texts(): string[] {
    return [...this.bodies.values()];
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private take(id: string, body: string): void {
    const known = this.bodies.get(id);
    if (known !== undefined && known !== body) {
      this.faults.push(`${id}: ${known} and ${body}`);
    }
    this.bodies.set(id, body);
  }
}

/** A flow in which whatever is posted to `/in` is accepted by an uplink (200) or refused (503, with the reason). */
export function postingFlow(id: string, url: string, config: object = {}): FlowNode[] {
  const nodes: FlowNode[] = [
    { id: 'server', type: 'edge-http', name: 'the server', url },
    { id: 'in', type: 'http in', url: '/in', method: 'post', wires: [['name']] },
    {
      id: 'name',
      type: 'function',
      func: 'msg.topic = "t"; msg.payload = msg.payload.text; return msg;',
      wires: [[id]],
    },
    { id, type: 'resilient-uplink', connections: ['server'], ...QUICK, ...config, wires: [[], []] },
    { id: 'complete', type: 'complete', scope: [id], wires: [['reply']] },
    { id: 'catch', type: 'catch', scope: [id], wires: [['refuse']] },
    {
      id: 'refuse',
      type: 'function',
      func: 'msg.statusCode = 503; msg.payload = msg.error.message; return msg;',
      wires: [['reply']],
    },
    { id: 'reply', type: 'http response' },
  ];
  return [
    { id: 'tab', type: 'tab', label: 'test' },
    ...nodes.map((node) => (node.type === 'edge-http' ? node : { z: 'tab', ...node })),
  ];
}

/** A station with that flow, and what it accepted. */
export class UplinkStation {
  readonly accepted: string[] = [];
  /** Why messages were refused. */
  readonly refusals: string[] = [];

  private constructor(
    readonly station: Station,
    readonly receiver: Receiver,
  ) {}

  static async start(receiver: Receiver, options: Omit<StationOptions, 'flow'>, id = 'uplink', config = {}) {
    const station = await Station.start({ flow: postingFlow(id, receiver.url, config), ...options });
    return new UplinkStation(station, receiver);
  }

  /** Posts a message; whether it was accepted. */
  async send(text: string): Promise<boolean> {
    const response = await fetch(`${this.station.url}/in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text }),
    });
    if (response.ok) {
      this.accepted.push(text);
    } else {
      this.refusals.push(await response.text());
    }
    return response.ok;
  }

  /** Posts until one is accepted: the fault is over, and so should be what it did. */
  async sendFresh(text: string, timeoutMs = 20_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!(await this.send(text))) {
      if (Date.now() > deadline) {
        throw new Error(`Nothing was accepted in ${timeoutMs} ms: ${this.refusals.at(-1)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Waits until everything that was accepted has arrived; gives what has not. */
  async missing(timeoutMs = 20_000): Promise<string[]> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const arrived = new Set(this.receiver.texts);
      const missing = this.accepted.filter((text) => !arrived.has(text));
      if (missing.length === 0 || Date.now() > deadline) {
        return missing;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
