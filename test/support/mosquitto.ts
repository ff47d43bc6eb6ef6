import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A free TCP port on loopback. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export interface MosquittoOptions {
  address?: string;
  persistence?: boolean;
}

/** A real mosquitto on loopback that keeps its sessions on disk and can be killed and started again. */
export class Mosquitto {
  private child: ChildProcess | undefined;

  private constructor(
    private readonly program: string,
    readonly port: number,
    private readonly folder: string,
    private readonly address: string,
  ) {}

  /**
   * @param settings more lines of its configuration file
   * @param options.address where it listens
   * @param options.persistence false = sessions are lost when it ends, and nothing is written meanwhile
   */
  static async start(
    program: string,
    settings: string[] = ['allow_anonymous true'],
    options: MosquittoOptions = {},
  ): Promise<Mosquitto> {
    const mosquitto = await Mosquitto.prepare(program, settings, options);
    await mosquitto.launch();
    return mosquitto;
  }

  /** One that does not run yet, but has its port. */
  static async prepare(
    program: string,
    settings: string[] = ['allow_anonymous true'],
    { address = '127.0.0.1', persistence = true }: MosquittoOptions = {},
  ): Promise<Mosquitto> {
    const folder = mkdtempSync(join(tmpdir(), 'edge-mosquitto-'));
    const mosquitto = new Mosquitto(program, await freePort(), folder, address);
    writeFileSync(
      join(folder, 'mosquitto.conf'),
      [
        `listener ${mosquitto.port} ${address}`,
        ...settings,
        `persistence ${persistence}`,
        `persistence_location ${folder}/`,
        'autosave_interval 1',
        'max_queued_messages 0',
        'max_inflight_messages 200',
        'log_type error',
        'user root',
        '',
      ].join('\n'),
    );
    return mosquitto;
  }

  get url(): string {
    return `mqtt://${this.address}:${this.port}`;
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  /** Starts the process and resolves once it accepts connections. */
  async launch(): Promise<void> {
    this.child = spawn(this.program, ['-c', join(this.folder, 'mosquitto.conf')], { stdio: 'ignore' });
    for (let attempt = 0; ; attempt++) {
      const socket = connect(this.port, this.address);
      try {
        await once(socket, 'connect');
        socket.destroy();
        return;
      } catch (error) {
        if (attempt > 200 || this.child.exitCode !== null) {
          throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  /** Kills the process without warning. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Freezes the process: its sockets stay open and nothing is answered. */
  freeze(): void {
    this.child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.child?.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    this.thaw();
    await this.end('SIGTERM');
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    if (child && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    }
  }
}
