import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { connectAsync } from 'mqtt';
import { freePort } from './mosquitto';

/** A real nats-server on loopback that speaks MQTT and keeps JetStream's files, and can be killed and started again. */
export class Nats {
  private child: ChildProcess | undefined;

  private constructor(
    private readonly program: string,
    readonly name: string,
    readonly port: number,
    readonly monitorPort: number,
    private readonly folder: string,
  ) {}

  static async start(program: string): Promise<Nats> {
    const nats = await Nats.prepare(program, 'factory');
    await nats.launch();
    return nats;
  }

  /**
   * One that does not run yet, but has its ports.
   *
   * @param settings more lines of its configuration file
   * @param mqtt more settings of its MQTT side, each after a comma
   */
  static async prepare(program: string, name: string, settings: string[] = [], mqtt = ''): Promise<Nats> {
    const folder = mkdtempSync(join(tmpdir(), 'edge-nats-'));
    const nats = new Nats(program, name, await freePort(), await freePort(), folder);
    writeFileSync(
      join(folder, 'nats.conf'),
      [
        `server_name: ${name}`,
        `listen: 127.0.0.1:${await freePort()}`,
        `log_file: "${folder}/log"`,
        `http: 127.0.0.1:${nats.monitorPort}`,
        `jetstream { store_dir: "${folder}/store" }`,
        `mqtt { host: 127.0.0.1, port: ${nats.port}${mqtt} }`,
        ...settings,
        '',
      ].join('\n'),
    );
    return nats;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  /** Starts the process and resolves once it takes MQTT clients: JetStream needs a moment longer than the port. */
  async launch(): Promise<void> {
    this.child = spawn(this.program, ['-c', join(this.folder, 'nats.conf')], { stdio: 'ignore' });
    for (let attempt = 0; ; attempt++) {
      try {
        const look = { clientId: `look-${this.name}`, reconnectPeriod: 0, connectTimeout: 2000 };
        const client = await connectAsync(this.url, look, false);
        await client.endAsync(true);
        return;
      } catch (error) {
        if (attempt > 200 || this.child.exitCode !== null) {
          const log = readFileSync(join(this.folder, 'log'), 'utf8');
          throw new Error(`${this.name} does not take clients: ${log.slice(-1000)}`, { cause: error });
        }
        await wait(50);
      }
    }
  }

  /** What the server's monitoring says, such as of `connz`; undefined while it does not run. */
  async monitor(what: string): Promise<unknown> {
    return fetch(`http://127.0.0.1:${this.monitorPort}/${what}`).then(
      (response) => response.json(),
      () => undefined,
    );
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const { child } = this;
    if (child && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    }
  }

  async stop(): Promise<void> {
    await this.kill('SIGTERM');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
