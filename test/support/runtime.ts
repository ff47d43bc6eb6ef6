import { EventEmitter, once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { EdgeMessage } from '../../nodes/shared/messages';

/** One entry of a flow file. */
export interface FlowNode {
  id: string;
  type: string;
  [property: string]: unknown;
}

export interface LogEntry {
  level: number;
  type?: string;
  id?: string;
  msg: unknown;
}

export interface NodeStatus {
  fill?: string;
  shape?: string;
  text?: string;
}

/** Node-RED's log levels. */
export const LOG = { fatal: 10, error: 20, warn: 30, info: 40 } as const;

/** What Node-RED itself says about the tests' bare settings. */
const OWN_REMARKS = /^(Projects disabled|Encrypted credentials not found|Using unencrypted credentials)/;

/** Whether a log entry is a warning or an error that a user would have to look into. */
export function isProblem({ level, msg }: LogEntry): boolean {
  return level <= LOG.warn && !OWN_REMARKS.test(String(msg));
}

export interface RuntimeOptions {
  /** Keeps state over restarts; a fresh folder otherwise. */
  userDir?: string;
  /** `node-red` (5) or `node-red-4`. */
  module?: 'node-red' | 'node-red-4';
  settings?: Record<string, unknown>;
  credentials?: Record<string, Record<string, string>>;
  /** Puts more into the user folder. */
  prepare?: (userDir: string) => void;
}

/** What the tests use of the `node-red` module. */
interface NodeRedModule {
  init(server: Server, settings: Record<string, unknown>): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  nodes: { getNode(id: string): RunningTestNode | undefined };
  runtime: {
    flows: { setFlows(options: object): Promise<unknown> };
    nodes: { getNodeList(options: object): Promise<{ types: string[]; err?: unknown; module: string }[]> };
  };
  httpAdmin: (request: unknown, response: unknown) => void;
  httpNode: (request: unknown, response: unknown, next: () => void) => void;
  events: EventEmitter;
}

interface RunningTestNode extends EventEmitter {
  receive(msg: object): void;
  status?: unknown;
}

export const packageRoot = resolve(__dirname, '..', '..', '..');

/**
 * The real Node-RED runtime with this package in its user folder, in this process. Node-RED can run once a process,
 * so a test file starts one and deploys as many flows as it needs.
 */
export class TestRuntime {
  readonly logs: LogEntry[] = [];
  private readonly arrivals = new EventEmitter();
  private readonly received = new Map<string, EdgeMessage[]>();
  private readonly shown = new Map<string, NodeStatus>();

  private constructor(
    private readonly red: NodeRedModule,
    private readonly server: Server,
    readonly userDir: string,
    private readonly keep: boolean,
  ) {
    this.arrivals.setMaxListeners(0);
  }

  static async start(options: RuntimeOptions = {}): Promise<TestRuntime> {
    const userDir = options.userDir ?? mkdtempSync(join(tmpdir(), 'edge-test-'));
    prepareUserDir(userDir);
    options.prepare?.(userDir);
    const moduleName: string = options.module ?? 'node-red';
    const red = (await import(moduleName)) as { default: NodeRedModule };
    const server = createServer();
    const runtime = new TestRuntime(red.default, server, userDir, options.userDir !== undefined);
    const collect = (nodeId: string, msg: EdgeMessage): void => {
      const list = runtime.received.get(nodeId) ?? [];
      list.push(msg);
      runtime.received.set(nodeId, list);
      runtime.arrivals.emit(nodeId);
    };
    (globalThis as { edgeTestSink?: typeof collect }).edgeTestSink = collect;
    red.default.events.on('node-status', ({ id, status }: { id: string; status: NodeStatus }) =>
      runtime.shown.set(id, status),
    );
    red.default.init(server, {
      userDir,
      httpAdminRoot: '/',
      httpNodeRoot: '/',
      flowFile: 'flows.json',
      credentialSecret: false,
      logging: {
        console: { level: 'off' },
        capture: { level: 'info', handler: () => (entry: LogEntry) => void runtime.logs.push(entry) },
      },
      editorTheme: { tours: false },
      telemetry: { enabled: false },
      ...options.settings,
    });
    server.on('request', (request, response) =>
      red.default.httpNode(request, response, () => red.default.httpAdmin(request, response)),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const started = once(red.default.events, 'flows:started');
    await red.default.start();
    await started;
    return runtime;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Replaces all flows. A node of type `test-sink` keeps what it receives for {@link TestRuntime.messages}. */
  async deploy(
    flow: FlowNode[],
    credentials: Record<string, Record<string, string>> = {},
    deploymentType: 'full' | 'nodes' = 'full',
  ): Promise<void> {
    this.received.clear();
    const flows = flow.map((node) => ({ x: 0, y: 0, ...(isTab(node) ? {} : { z: 'tab' }), ...node }));
    const withTab = flows.some(isTab) ? flows : [{ id: 'tab', type: 'tab', label: 'test' }, ...flows];
    const started = once(this.red.events, 'flows:started');
    await this.red.runtime.flows.setFlows({ flows: { flows: withTab, credentials }, deploymentType });
    await started;
  }

  /** What a node shows under itself. */
  status(nodeId: string): NodeStatus | undefined {
    return this.shown.get(nodeId);
  }

  /** Sends a message into a node. */
  inject(nodeId: string, msg: object): void {
    this.node(nodeId).receive(msg);
  }

  node(nodeId: string): RunningTestNode {
    const node = this.red.nodes.getNode(nodeId);
    if (!node) {
      throw new Error(`No running node ${nodeId}; log: ${JSON.stringify(this.logs.slice(-5))}`);
    }
    return node;
  }

  /** What a sink has received so far. */
  messages(sinkId: string): EdgeMessage[] {
    return this.received.get(sinkId) ?? [];
  }

  /** Waits until a sink has received `count` messages and returns them. */
  async collect(sinkId: string, count: number, timeoutMs = 10_000): Promise<EdgeMessage[]> {
    const deadline = AbortSignal.timeout(timeoutMs);
    while (this.messages(sinkId).length < count) {
      try {
        await once(this.arrivals, sinkId, { signal: deadline });
      } catch {
        const problems = this.problems().slice(-5);
        throw new Error(
          `${sinkId} received ${this.messages(sinkId).length} of ${count} messages in ${timeoutMs} ms; log: ${JSON.stringify(problems)}`,
        );
      }
    }
    return this.messages(sinkId);
  }

  /** Waits until a condition over everything that was received or logged holds. */
  async until(condition: () => boolean, what: string, timeoutMs = 10_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!condition()) {
      if (Date.now() > deadline) {
        throw new Error(`Waited ${timeoutMs} ms in vain for: ${what}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Warnings and errors in the log so far. */
  problems(): LogEntry[] {
    return this.logs.filter(isProblem);
  }

  async nodeTypes(): Promise<string[]> {
    const sets = await this.red.runtime.nodes.getNodeList({});
    return sets
      .filter((set) => !set.err && set.module.startsWith('@millwright'))
      .flatMap(({ types }) => types);
  }

  async stop(): Promise<void> {
    await this.red.stop();
    this.server.closeAllConnections();
    this.server.close();
    if (!this.keep) {
      rmSync(this.userDir, { recursive: true, force: true, maxRetries: 3 });
    }
  }
}

/** Makes a user folder in which the package is installed as a link, with the sink node beside it. */
export function prepareUserDir(userDir: string): void {
  const scope = join(userDir, 'node_modules', '@millwright');
  mkdirSync(scope, { recursive: true });
  mkdirSync(join(userDir, 'nodes'), { recursive: true });
  try {
    symlinkSync(packageRoot, join(scope, 'node-red-edge'), 'dir');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
      throw error;
    }
  }
  writeFileSync(
    join(userDir, 'package.json'),
    JSON.stringify({ name: 'test', dependencies: { '@millwright/node-red-edge': '*' } }),
  );
  writeFileSync(join(userDir, 'nodes', 'test-sink.js'), SINK);
  writeFileSync(
    join(userDir, 'nodes', 'test-sink.html'),
    '<script type="text/javascript">RED.nodes.registerType("test-sink",{category:"test",defaults:{},inputs:1,outputs:0})</script>',
  );
}

const SINK = `module.exports = function (RED) {
  RED.nodes.registerType('test-sink', function (config) {
    RED.nodes.createNode(this, config);
    this.on('input', (msg, send, done) => { globalThis.edgeTestSink?.(this.id, msg); done(); });
  });
};`;

function isTab(node: FlowNode): boolean {
  return node.type === 'tab';
}
