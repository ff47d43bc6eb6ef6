import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Aedes } from 'aedes';

/** A message as it arrived at the broker. */
export interface Arrived {
  topic: string;
  text: string;
}

/** An MQTT 3.1.1 broker in this process that a test can stop, start again on the same port, and stall. */
export class MqttServer {
  readonly arrived: Arrived[] = [];
  /** While true, messages arrive and nothing is acknowledged. */
  stalled = false;
  /** While true, messages neither arrive nor are acknowledged. */
  frozen = false;
  /** Messages that reached the server, arrived or not. */
  publishing = 0;
  port = 0;
  private server: Server | undefined;
  private broker: Aedes | undefined;
  private readonly sockets = new Set<Socket>();

  static async start(): Promise<MqttServer> {
    const server = new MqttServer();
    await server.listen();
    return server;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  /** Opens the port, the same one as before. */
  async listen(): Promise<void> {
    const broker = await Aedes.createBroker({
      authorizePublish: (_client, { topic, payload }, done) => {
        this.publishing++;
        if (this.frozen) {
          return;
        }
        this.arrived.push({ topic, text: payload.toString() });
        if (!this.stalled) {
          done(null);
        }
      },
    });
    this.broker = broker;
    this.server = createServer((socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      broker.handle(socket);
    });
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  /** The broker dies with all its connections. */
  async die(): Promise<void> {
    const { server, broker } = this;
    this.server = this.broker = undefined;
    for (const socket of this.sockets) {
      socket.resetAndDestroy();
    }
    if (server && broker) {
      const closed = once(server, 'close');
      server.close();
      await closed;
      await new Promise<void>((resolve) => broker.close(resolve));
    }
  }

  get texts(): string[] {
    return this.arrived.map(({ text }) => text);
  }
}
