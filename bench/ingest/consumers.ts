import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepareUserDir, type FlowNode } from '../../test/support/runtime';
import { Station } from '../../test/support/station';
import { end } from './measure';

/** What is made of each window. */
export interface Task {
  sampleRate: number;
  features: string[];
}

/** A process that counts the windows that it has handled. */
export interface Consumer {
  label: string;
  pid: number;
  onCount(listener: (count: number) => void): void;
  stop(): Promise<void>;
}

export async function startBareLoop(url: string, task: Task, qos: 0 | 1): Promise<Consumer> {
  const child = fork(join(__dirname, 'bare-loop.js'), [JSON.stringify({ url, ...task, qos })], {
    execArgv: profiling('bare'),
  });
  await once(child, 'message');
  return {
    label: `bare loop: MQTT.js and the features, QoS ${qos}`,
    pid: child.pid ?? 0,
    onCount: (listener) => child.on('message', ({ count }: { count: number }) => listener(count)),
    stop: () => end(child),
  };
}

export async function startStation(
  url: string,
  task: Task,
  properties: { qos: 0 | 1; reduce?: string; tolerance?: number },
): Promise<Consumer> {
  const flow: FlowNode[] = [
    { id: 'tab', type: 'tab', label: 'bench' },
    { id: 'broker', type: 'edge-broker', url },
    {
      id: 'ingest',
      type: 'sensor-ingest',
      z: 'tab',
      source: 'mqtt',
      broker: 'broker',
      topic: 'plant1/#',
      format: 'float32',
      ...task,
      ...properties,
      wires: [['counter'], [], []],
    },
    { id: 'counter', type: 'bench-counter', z: 'tab', wires: [] },
  ];
  const station = await Station.start({
    flow,
    install(userDir) {
      prepareUserDir(userDir);
      writeFileSync(join(userDir, 'nodes', 'bench-counter.js'), COUNTER);
      writeFileSync(join(userDir, 'nodes', 'bench-counter.html'), COUNTER_FORM);
    },
    execArgv: profiling('node'),
  });
  await station.shows('ingest', 'sensor-ingest.status.listening');
  return {
    label: `sensor-ingest in Node-RED, QoS ${properties.qos}${properties.reduce ? `, ${properties.reduce}` : ''}`,
    pid: station.pid,
    onCount: (listener) =>
      station.on('sink', (_id: string, { payload }: { payload: number }) => listener(payload)),
    stop: () => station.stop(),
  };
}

function profiling(name: string): string[] {
  const folder = process.env.BENCH_PROFILE;
  return folder ? ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}.cpuprofile`] : [];
}

const COUNTER = `module.exports = function (RED) {
  let count = 0;
  RED.nodes.registerType('bench-counter', function (config) {
    RED.nodes.createNode(this, config);
    const timer = setInterval(() => process.send({ kind: 'sink', id: this.id, msg: { payload: count } }), 10);
    this.on('input', (msg, send, done) => { count++; done(); });
    this.on('close', (done) => { clearInterval(timer); done(); });
  });
};`;
const COUNTER_FORM =
  '<script type="text/javascript">RED.nodes.registerType("bench-counter",{category:"test",defaults:{},inputs:1,outputs:0})</script>';
