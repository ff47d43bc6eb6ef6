/** `npm start`: Node-RED with the suite, an MQTT broker and a simulated line of machines, on one machine. */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, resolve } from 'node:path';
import { once } from 'node:events';
import { connectAsync, type MqttClient } from 'mqtt';
import { startBroker, type RunningBroker } from './broker';
import { messagesIn } from './cloud-messages';
import { CLOUD_TOPICS, overMqtt, type FlowEntry } from './mqtt-flow';
import { SimulatedLine } from './simulated-line';

interface NodeRed {
  init(server: object, settings: object): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  events: NodeJS.EventEmitter;
  httpAdmin: (request: unknown, response: unknown) => void;
  httpNode: (request: unknown, response: unknown, next: () => void) => void;
}

const MACHINES = 6;
/** Node-RED's log level of errors. */
const ERROR = 20;
const root = resolve(__dirname, '..', '..', '..');
const userDir = join(root, '.demo');

function say(text = ''): void {
  console.log(text);
}

function clock(): string {
  return new Date().toTimeString().slice(0, 8);
}

/** Opens the preferred port, or any free one where it is taken. */
async function onPort<T>(preferred: number, open: (port: number) => Promise<T>): Promise<T> {
  try {
    return await open(preferred);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
      return open(0);
    }
    throw error;
  }
}

function prepareUserDir(): void {
  const scope = join(userDir, 'node_modules', '@millwright');
  mkdirSync(scope, { recursive: true });
  if (!existsSync(join(scope, 'node-red-edge'))) {
    symlinkSync(root, join(scope, 'node-red-edge'), 'junction');
  }
  writeFileSync(
    join(userDir, 'package.json'),
    JSON.stringify({ name: 'edge-demo', dependencies: { '@millwright/node-red-edge': '*' } }, null, 2),
  );
  const flowFile = join(userDir, 'flows.json');
  if (process.argv.includes('--fresh') || !existsSync(flowFile)) {
    const template = JSON.parse(
      readFileSync(join(root, 'flows', 'predictive-maintenance.json'), 'utf8'),
    ) as FlowEntry[];
    // The address is a variable, because the broker's port may differ the next time.
    const address = '${EDGE_DEMO_BROKER}';
    const flow = overMqtt(template, { machines: address, cloud: address, protocolVersion: '4' });
    writeFileSync(flowFile, JSON.stringify(flow, null, 2));
  }
}

async function startNodeRed(): Promise<{ url: string; stop(): Promise<void> }> {
  const server = createServer();
  const port = await onPort(Number(process.env.PORT ?? 1880), async (wanted) => {
    server.listen(wanted, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as { port: number }).port;
  });
  const moduleName: string = 'node-red';
  const red = ((await import(moduleName)) as { default: NodeRed }).default;
  red.init(server, {
    userDir,
    flowFile: 'flows.json',
    httpAdminRoot: '/',
    httpNodeRoot: '/',
    credentialSecret: 'edge-demo',
    uiHost: '127.0.0.1',
    uiPort: port,
    // Remarks on the demonstration's bare settings are left out; what a node says is shown.
    logging: {
      console: { level: 'off' },
      nodes: {
        level: 'warn',
        handler: () => (entry: { level: number; id?: string; type?: string; msg: unknown }) => {
          if (entry.id !== undefined || entry.level <= ERROR) {
            say(`${clock()}  ${entry.type ?? 'Node-RED'}: ${String(entry.msg)}`);
          }
        },
      },
    },
    editorTheme: { tours: false, projects: { enabled: false } },
    telemetry: { enabled: false, updateNotification: false },
  });
  server.on('request', (request, response) =>
    red.httpNode(request, response, () => red.httpAdmin(request, response)),
  );
  const started = once(red.events, 'flows:started');
  await red.start();
  await started;
  return {
    url: `http://127.0.0.1:${port}/`,
    stop: async () => {
      await red.stop();
      server.closeAllConnections();
      server.close();
    },
  };
}

interface CloudMessage {
  detection?: { kind?: string; source: string; label?: string; contributions?: { channel: string }[] };
}

/** Prints each alert that reaches the cloud topic. */
async function watchCloud(broker: RunningBroker): Promise<MqttClient> {
  const cloud = await connectAsync(broker.url, { clientId: 'cloud-watcher' });
  cloud.on('message', (_topic, body) => {
    for (const { detection } of messagesIn<CloudMessage>(body)) {
      if (detection?.kind) {
        const what =
          detection.label ?? detection.contributions?.map(({ channel }) => channel).join(', ') ?? '';
        say(`${clock()}  cloud received  ${detection.kind}  ${detection.source}  ${what}`);
      }
    }
  });
  await cloud.subscribeAsync(CLOUD_TOPICS, { qos: 1 });
  return cloud;
}

async function main(): Promise<void> {
  const broker = await onPort(18830, startBroker);
  process.env.EDGE_DEMO_BROKER = broker.url;
  prepareUserDir();
  const cloud = await watchCloud(broker);
  const nodeRed = await startNodeRed();
  const line = await SimulatedLine.start(broker.url, MACHINES, (text) => say(`${clock()}  ${text}`));

  let stopping = false;
  const stop = (): void => {
    if (stopping) {
      return;
    }
    stopping = true;
    say('\nStopping …');
    (async () => {
      await line.stop();
      await nodeRed.stop();
      await cloud.endAsync(true);
      await broker.close();
    })().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);

  say(`
Millwright is running.

  Editor     ${nodeRed.url}#flow/edge-pm
  Machines   ${MACHINES} simulated CNC machines publish to ${broker.url}, plant1/+/telemetry and plant1/+/vibration;
             npx mqtt sub -h 127.0.0.1 -p ${broker.port} -t 'plant1/+/telemetry' -v shows what they send
  Cloud      alerts and the reduced stream arrive under ${CLOUD_TOPICS}, compressed; switch the node
             "watch the cloud" on to read them in the debug sidebar
  Data       ${userDir} (npm start -- --fresh begins with a new flow)

First, open the editor and press a button in "Break a machine"; the alert appears in the debug sidebar (the bug icon).
Ctrl-C stops everything.
`);
  say(`${clock()}  the machines replay half an hour of healthy operation, from which the forests learn`);
  await line.replayHistory();
  say(`${clock()}  live: one reading a second from each machine; the first one breaks in a few seconds`);
  line.goLive();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
