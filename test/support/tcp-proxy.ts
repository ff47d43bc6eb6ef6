import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What a direction of the proxy does with bytes. */
interface Direction {
  frozen: boolean;
  /** Each chunk is passed on so many ms late. */
  delayMs: number;
  /** 0 = as they come, else so many bytes every 10 ms. */
  dripBytes: number;
}

const DRIP_MS = 10;

/** One direction of one connection: bytes wait here while the direction is frozen or slow. */
class Pipe {
  private waiting: Buffer[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly direction: Direction,
  ) {
    from.on('data', (chunk: Buffer) => {
      this.waiting.push(chunk);
      this.pump();
    });
    to.on('drain', () => from.resume());
  }

  pump(): void {
    const { frozen, delayMs, dripBytes } = this.direction;
    if (frozen || this.timer || this.waiting.length === 0 || this.to.destroyed) {
      return;
    }
    if (delayMs > 0 || dripBytes > 0) {
      this.timer = setTimeout(
        () => {
          this.timer = undefined;
          if (!this.direction.frozen) {
            this.pass(dripBytes);
          }
          this.pump();
        },
        dripBytes > 0 ? DRIP_MS : delayMs,
      );
    } else {
      this.pass(0);
    }
  }

  stop(): void {
    clearTimeout(this.timer);
    this.waiting = [];
  }

  private pass(limit: number): void {
    const all = Buffer.concat(this.waiting);
    const now = limit > 0 ? all.subarray(0, limit) : all;
    this.waiting = now.length < all.length ? [all.subarray(now.length)] : [];
    if (!this.to.write(now)) {
      this.from.pause();
    }
  }
}

/** A TCP proxy on loopback that can do to a connection whatever a bad network does. */
export class TcpProxy {
  /** From the client to the server. */
  private readonly up: Direction = { frozen: false, delayMs: 0, dripBytes: 0 };
  /** From the server to the client: answers. */
  private readonly down: Direction = { frozen: false, delayMs: 0, dripBytes: 0 };
  private readonly pairs = new Set<{ sockets: Socket[]; pipes: Pipe[] }>();
  private server: Server | undefined;
  port = 0;

  private constructor(private readonly target: number) {}

  static async start(targetPort: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort);
    await proxy.listen();
    return proxy;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  get connections(): number {
    return this.pairs.size;
  }

  /** Opens the port, the same one as before. */
  async listen(): Promise<void> {
    this.server = createServer((client) => this.join(client)).listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  /** Nothing gets through any more and nobody is told, not even new connections. */
  freeze(which: 'both' | 'up' | 'down' = 'both'): void {
    this.up.frozen ||= which !== 'down';
    this.down.frozen ||= which !== 'up';
  }

  /** Ends all freezing, delay and dripping. What was held up passes now. */
  heal(): void {
    Object.assign(this.up, { frozen: false, delayMs: 0, dripBytes: 0 });
    Object.assign(this.down, { frozen: false, delayMs: 0, dripBytes: 0 });
    this.pairs.forEach(({ pipes }) => pipes.forEach((pipe) => pipe.pump()));
  }

  delay(ms: number): void {
    this.up.delayMs = this.down.delayMs = ms;
  }

  /** Lets so many bytes pass every 10 ms in each direction. */
  drip(bytes: number): void {
    this.up.dripBytes = this.down.dripBytes = bytes;
  }

  /** Resets every connection; what was held up is gone. */
  cut(): void {
    for (const { sockets, pipes } of this.pairs) {
      pipes.forEach((pipe) => pipe.stop());
      sockets.forEach((socket) => socket.resetAndDestroy());
    }
    this.pairs.clear();
  }

  /** Resets every connection and refuses new ones until {@link listen}. */
  async close(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    this.cut();
    if (server) {
      const closed = once(server, 'close');
      server.close();
      await closed;
    }
  }

  private join(client: Socket): void {
    const server = connect(this.target, '127.0.0.1');
    client.setNoDelay(true);
    server.setNoDelay(true);
    const pipes = [new Pipe(client, server, this.up), new Pipe(server, client, this.down)];
    const pair = { sockets: [client, server], pipes };
    this.pairs.add(pair);
    for (const socket of pair.sockets) {
      // A reset is what this proxy is for; the close that follows says it all.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        pipes.forEach((pipe) => pipe.stop());
        pair.sockets.forEach((other) => other.destroy());
        this.pairs.delete(pair);
      });
    }
  }
}
