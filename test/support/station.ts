import { fork, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EdgeMessage } from '../../nodes/shared/messages';
import { isProblem, prepareUserDir, type FlowNode, type LogEntry } from './runtime';

type Report =
  | { kind: 'ready'; port: number }
  | { kind: 'failed'; error: string }
  | { kind: 'log'; entry: LogEntry }
  | { kind: 'sink'; id: string; msg: EdgeMessage; at: number };

export interface StationOptions {
  flow: FlowNode[];
  module?: 'node-red' | 'node-red-4';
  settings?: Record<string, unknown>;
  /** Any free one otherwise. */
  port?: number;
  /** Puts the package into the user folder; a link to this checkout otherwise. */
  install?: (userDir: string) => void;
  /** More options of Node.js. */
  execArgv?: string[];
  /** A program, with its arguments, that runs Node.js in its place: in a network namespace, for example. */
  within?: [program: string, ...parameters: string[]];
  /** Hears of what each `test-sink` receives from the very start; a listener of `sink` can only come later. */
  onSink?: (id: string, msg: EdgeMessage) => void;
  /** More variables of the environment, for a user folder. */
  environment?: (userDir: string) => Record<string, string>;
  /** That of another station, which keeps it; a new one otherwise. */
  userDir?: string;
}

/** Node-RED with the suite in a process of its own, which can be killed and started again on the same data. */
export class Station extends EventEmitter {
  readonly userDir: string;
  readonly logs: LogEntry[] = [];
  port = 0;
  private child: ChildProcess | undefined;

  private constructor(private readonly options: StationOptions) {
    super();
    this.userDir = options.userDir ?? mkdtempSync(join(tmpdir(), 'edge-station-'));
  }

  static async start(options: StationOptions): Promise<Station> {
    const station = new Station(options);
    (options.install ?? prepareUserDir)(station.userDir);
    writeFileSync(join(station.userDir, 'flows.json'), JSON.stringify(options.flow.map(onCanvas)));
    await station.launch();
    return station;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts the process; resolves once the flow runs. Emits `sink` with the id and message of each `test-sink`. */
  async launch(): Promise<void> {
    const options = ['--enable-source-maps', ...(this.options.execArgv ?? [])];
    const [program, ...parameters] = this.options.within ?? [];
    const env = { ...process.env, ...this.options.environment?.(this.userDir) };
    const child = fork(
      join(__dirname, 'station-process.js'),
      [
        JSON.stringify({
          userDir: this.userDir,
          module: this.options.module ?? 'node-red',
          settings: this.options.settings ?? {},
          port: this.options.port ?? 0,
        }),
      ],
      program === undefined
        ? { serialization: 'advanced', execArgv: options, env }
        : {
            serialization: 'advanced',
            execPath: program,
            execArgv: [...parameters, process.execPath, ...options],
            env,
          },
    );
    this.child = child;
    await new Promise<void>((resolve, reject) => {
      child.on('message', (report: Report) => {
        if (report.kind === 'ready') {
          this.port = report.port;
          resolve();
        } else if (report.kind === 'failed') {
          reject(new Error(report.error));
        } else if (report.kind === 'log') {
          this.logs.push(report.entry);
        } else {
          this.options.onSink?.(report.id, report.msg);
          this.emit('sink', report.id, report.msg, report.at);
        }
      });
      child.once('exit', (code, signal) => reject(new Error(`Node-RED ended: ${code ?? signal ?? ''}`)));
    });
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  /** The figures of a node in /edge/status; those of all nodes together where none is named. */
  async figures(nodeId?: string): Promise<Record<string, number>> {
    const { nodes } = (await (await fetch(`${this.url}/edge/status`)).json()) as {
      nodes: { id: string; figures: Record<string, number> }[];
    };
    const wanted = nodes.filter(({ id }) => nodeId === undefined || id === nodeId);
    return Object.assign({}, ...wanted.map(({ figures }) => figures)) as Record<string, number>;
  }

  /** Waits until a node shows the status with this locale key, such as `sensor-ingest.status.listening`. */
  async shows(nodeId: string, text: string, timeoutMs = 20_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const { nodes } = (await (await fetch(`${this.url}/edge/status`)).json()) as {
        nodes: { id: string; status: { text: string } | null }[];
      };
      const status = nodes.find(({ id }) => id === nodeId)?.status;
      if (status?.text === text) {
        return;
      }
      if (Date.now() > deadline) {
        throw new Error(`${nodeId} shows "${status?.text ?? ''}" instead of "${text}"`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Sends the process a message of the test's own, or asks for `handles`: a `sink` with that id tells how many are open. */
  order(message: object | 'handles'): void {
    this.child?.send(message);
  }

  /** Sends a message into a node; lost when the process is gone, as it would be in the flow. */
  inject(nodeId: string, msg: object): void {
    if (this.child?.connected === true) {
      // Killed in between, it can take nothing any more.
      this.child.send({ inject: nodeId, msg }, () => undefined);
    }
  }

  /** Warnings and errors in the log so far. */
  problems(): LogEntry[] {
    return this.logs.filter(isProblem);
  }

  /** Resident memory of the process in bytes; Linux only, else 0. */
  async residentMemory(): Promise<number> {
    try {
      const status = await readFile(`/proc/${this.child?.pid ?? 0}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
    } catch {
      return 0;
    }
  }

  /** SIGKILL, as a power cut would look to the process. */
  async kill(): Promise<void> {
    await this.end((child) => child.kill('SIGKILL'));
  }

  async stop(): Promise<void> {
    await this.shutDown();
    if (this.options.userDir === undefined) {
      rmSync(this.userDir, { recursive: true, force: true, maxRetries: 3 });
    }
  }

  /** Ends the process in good order; its data stays for another {@link launch}. */
  async shutDown(): Promise<void> {
    const child = this.child;
    await this.end((running) => running.send('stop'));
    if (child?.exitCode !== 0 && child?.signalCode !== 'SIGKILL') {
      throw new Error(
        `Node-RED did not end well: ${child?.signalCode ?? child?.exitCode ?? 'never started'}`,
      );
    }
  }

  private async end(how: (child: ChildProcess) => void): Promise<void> {
    const child = this.child;
    if (child && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      how(child);
      await exited;
    }
  }
}

/** Node-RED takes a node without a place on the canvas for a configuration node. */
function onCanvas(node: FlowNode): FlowNode {
  return 'wires' in node ? { x: 0, y: 0, ...node } : node;
}
