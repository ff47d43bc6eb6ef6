/** A Node-RED process that a test can kill: see station.ts. Reports to its parent over IPC. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { EdgeMessage } from '../../nodes/shared/messages';

interface NodeRed {
  init(server: object, settings: object): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  events: NodeJS.EventEmitter;
  nodes: { getNode(id: string): { receive(msg: object): void } | null };
  httpAdmin: (request: unknown, response: unknown) => void;
  httpNode: (request: unknown, response: unknown, next: () => void) => void;
}

const send = (report: object): void => void process.send?.(report);

async function main(): Promise<void> {
  const {
    userDir,
    module: moduleName,
    settings,
    port: wantedPort,
  } = JSON.parse(process.argv[2]) as { userDir: string; module: string; settings: object; port: number };
  (globalThis as { edgeTestSink?: (id: string, msg: EdgeMessage) => void }).edgeTestSink = (id, msg) =>
    send({ kind: 'sink', id, msg: { ...msg, req: undefined, res: undefined }, at: Date.now() });
  const server = createServer();
  server.listen(wantedPort, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const red = ((await import(moduleName)) as { default: NodeRed }).default;
  const settingsFile = join(userDir, 'settings.js');
  const fileSettings = existsSync(settingsFile)
    ? ((await import(settingsFile)) as { default: object }).default
    : {};
  red.init(server, {
    userDir,
    flowFile: 'flows.json',
    httpAdminRoot: '/',
    httpNodeRoot: '/',
    uiPort: port,
    credentialSecret: false,
    logging: {
      console: { level: 'off' },
      capture: { level: 'info', handler: () => (entry: object) => send({ kind: 'log', entry }) },
    },
    editorTheme: { tours: false },
    telemetry: { enabled: false },
    ...fileSettings,
    ...settings,
  });
  server.on('request', (request, response) =>
    red.httpNode(request, response, () => red.httpAdmin(request, response)),
  );
  const started = once(red.events, 'flows:started');
  await red.start();
  await started;
  process.on('message', (order) => {
    if (order === 'stop') {
      red.stop().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    } else if (order === 'handles') {
      send({
        kind: 'sink',
        id: 'handles',
        msg: { payload: process.getActiveResourcesInfo().length },
        at: Date.now(),
      });
    } else if (isInjection(order)) {
      red.nodes.getNode(order.inject)?.receive(order.msg);
    }
  });
  send({ kind: 'ready', port });
}

function isInjection(order: unknown): order is { inject: string; msg: object } {
  return typeof order === 'object' && order !== null && 'inject' in order && 'msg' in order;
}

main().catch((error: unknown) => {
  send({ kind: 'failed', error: String(error) });
  process.exit(1);
});
