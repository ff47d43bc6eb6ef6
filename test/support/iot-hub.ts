import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Aedes, type Client } from 'aedes';

/** A device as the hub has it registered. */
export interface Device {
  id: string;
  /** Its symmetric key, base64. */
  key: string;
}

/**
 * What an Azure IoT Hub enforces on a device that connects by MQTT, as its documentation says, in this process: MQTT
 * 3.1.1, the device id as client id, the user name's form, a token that is signed with the device's key and has not
 * expired; it disconnects when the token expires, and for another topic or QoS 2.
 */
export class IotHub {
  readonly arrived: string[] = [];
  /** Why it refused or disconnected, in order. */
  readonly refusals: string[] = [];
  /** Expiry of each token that was taken, seconds. */
  readonly expiries: number[] = [];
  /** How far its clock is ahead of this machine's, ms. */
  aheadMs = 0;
  port = 0;
  private server: Server | undefined;
  private broker: Aedes | undefined;
  private readonly sockets = new Set<Socket>();

  private constructor(
    readonly name: string,
    private readonly device: Device,
  ) {}

  static async start(name: string, device: Device): Promise<IotHub> {
    const hub = new IotHub(name, device);
    const broker = await Aedes.createBroker({
      preConnect: (_client, packet, done) => {
        const version = (packet as { protocolVersion?: number }).protocolVersion;
        if (version !== 4) {
          hub.refusals.push('version');
        }
        done(null, version === 4);
      },
      authenticate: (client, username, password, done) => {
        const expiry = hub.judge(client, username ?? '', password?.toString() ?? '');
        if (expiry === undefined) {
          done(Object.assign(new Error('not authorized'), { returnCode: 5 }), false);
          return;
        }
        hub.expiries.push(expiry);
        done(null, true);
        const leftMs = expiry * 1000 - hub.now();
        setTimeout(() => hub.end(client, 'expired'), Math.min(leftMs, 0x7fffffff)).unref();
      },
      authorizePublish: (client, { topic, payload, qos }, done) => {
        const allowed = `devices/${device.id}/messages/events/`;
        if (!topic.startsWith(allowed) || qos === 2) {
          hub.end(client, `publish ${topic} ${qos}`);
          return;
        }
        hub.arrived.push(payload.toString());
        done(null);
      },
    });
    hub.broker = broker;
    hub.server = createServer((socket) => {
      hub.sockets.add(socket);
      socket.on('close', () => hub.sockets.delete(socket));
      socket.on('error', () => undefined);
      broker.handle(socket);
    }).listen(0, '127.0.0.1');
    await once(hub.server, 'listening');
    hub.port = (hub.server.address() as AddressInfo).port;
    return hub;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    this.sockets.forEach((socket) => socket.destroy());
    this.server?.close();
    await new Promise<void>((resolve) => (this.broker ? this.broker.close(resolve) : resolve()));
  }

  private now(): number {
    return Date.now() + this.aheadMs;
  }

  private end(client: Client | null, why: string): void {
    const socket = (client as unknown as { conn?: Socket } | null)?.conn;
    if (socket && !socket.destroyed) {
      this.refusals.push(why);
      socket.destroy();
    }
  }

  /** The token's expiry, or undefined when the device is not let in. */
  private judge({ id }: Client, username: string, password: string): number | undefined {
    const { device, name } = this;
    const token = new URLSearchParams(password.replace('SharedAccessSignature ', ''));
    const resource = encodeURIComponent(`${name}/devices/${device.id}`);
    const expiry = Number(token.get('se'));
    const signed = createHmac('sha256', Buffer.from(device.key, 'base64')).update(`${resource}\n${expiry}`);
    const problem =
      (id !== device.id && 'client id') ||
      (username !== `${name}/${device.id}/?api-version=2021-04-12` && 'user name') ||
      (!password.startsWith('SharedAccessSignature sr=') && 'password') ||
      (!password.includes(`sr=${resource}&`) && 'resource') ||
      (token.get('sig') !== signed.digest('base64') && 'signature') ||
      (expiry * 1000 <= this.now() && 'expired token');
    if (problem) {
      this.refusals.push(problem);
      return undefined;
    }
    return expiry;
  }
}
