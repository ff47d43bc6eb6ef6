import { freePort } from './mosquitto';
import { Nats } from './nats';

/** The stream in which NATS keeps what MQTT clients publish with QoS 1. */
const MESSAGES = '$MQTT_msgs';

interface Jsz {
  account_details?: { stream_detail?: { name: string; cluster?: { leader?: string } }[] }[];
}

interface Connz {
  connections?: { mqtt_client?: string }[];
}

/** Three nats-servers on loopback that keep everything three times, each with a folder and ports of its own. */
export class NatsCluster {
  private constructor(readonly servers: readonly Nats[]) {}

  static async start(program: string): Promise<NatsCluster> {
    const ports = [await freePort(), await freePort(), await freePort()];
    const routes = ports.map((port) => `nats://127.0.0.1:${port}`).join(', ');
    const servers: Nats[] = [];
    for (const [index, port] of ports.entries()) {
      const settings = `cluster { name: factory, listen: 127.0.0.1:${port}, routes: [${routes}] }`;
      servers.push(await Nats.prepare(program, `node-${index + 1}`, [settings], ', stream_replicas: 3'));
    }
    const cluster = new NatsCluster(servers);
    // None takes MQTT clients before a majority is there.
    const launched = await Promise.allSettled(servers.map((server) => server.launch()));
    const failed = launched.find((launch) => launch.status === 'rejected');
    if (failed) {
      await cluster.stop();
      throw failed.reason;
    }
    return cluster;
  }

  /** All addresses, as `edge-broker` takes them. */
  get urls(): string {
    return this.servers.map(({ url }) => url).join(', ');
  }

  /** The server that a client with such an id is connected to. */
  async serverOf(client: RegExp): Promise<Nats | undefined> {
    for (const server of this.servers) {
      const connz = (await server.monitor('connz')) as Connz | undefined;
      if (connz?.connections?.some(({ mqtt_client: id = '' }) => client.test(id)) === true) {
        return server;
      }
    }
    return undefined;
  }

  /** The server that leads the stream of MQTT messages, as those that run agree. */
  async leader(): Promise<Nats | undefined> {
    for (const server of this.servers) {
      const jsz = (await server.monitor('jsz?streams=true')) as Jsz | undefined;
      const streams = jsz?.account_details?.flatMap(({ stream_detail: details = [] }) => details) ?? [];
      const name = streams.find((stream) => stream.name === MESSAGES)?.cluster?.leader;
      const leader = this.servers.find((one) => one.name === name);
      if (leader && (await leader.monitor('varz')) !== undefined) {
        return leader;
      }
    }
    return undefined;
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
  }
}
