import { join } from 'node:path';
import type { Mosquitto } from '../../test/support/mosquitto';
import type { FlowNode } from '../../test/support/runtime';

/** A node that keeps messages over a restart, in a flow to the broker, with `measured` as its id. */
export interface Contestant {
  name: string;
  flow(broker: Mosquitto): FlowNode[];
  /** Folders of the node modules it needs. */
  modules: string[];
  settings: Record<string, unknown>;
}

export function uplink(): Contestant {
  return {
    name: 'resilient-uplink',
    modules: [],
    settings: {},
    flow: (broker) => [
      { id: 'broker', type: 'edge-broker', url: broker.url },
      {
        id: 'measured',
        type: 'resilient-uplink',
        z: 'tab',
        connections: ['broker'],
        limitMB: 8192,
        retryMaxMs: 1000,
        wires: [['arrival'], []],
      },
    ],
  };
}

/** Stores in SQLite while the status of `mqtt out` is not "connected", and only then. */
export function messageQueue(folder: string): Contestant {
  return {
    name: 'node-red-contrib-msg-queue, queue',
    modules: [join(folder, 'node_modules', 'node-red-contrib-msg-queue')],
    settings: {},
    flow: (broker) => [
      ...coreOut(broker),
      { id: 'status', type: 'status', z: 'tab', scope: ['out'], wires: [['measured']] },
      {
        id: 'measured',
        type: 'queue',
        z: 'tab',
        // The port is the broker's alone while this runs.
        sqlite: join(folder, `queue-${process.pid}-${broker.port}.sqlite`),
        connected: 'connected',
        connectedType: 'str',
        disconnected: '',
        disconnectedType: 'str',
        wires: [['out']],
      },
    ],
  };
}

/**
 * Keeps its queue in a context store. Only a cached store will do, as it reads synchronously; here the core's file
 * store.
 *
 * @param flushSeconds how often that is written; 30 s is its default
 */
export function guaranteedDelivery(folder: string, flushSeconds: number): Contestant {
  return {
    name: `@colinl/node-red-guaranteed-delivery, written every ${flushSeconds} s`,
    modules: [join(folder, 'node_modules', '@colinl', 'node-red-guaranteed-delivery')],
    settings: {
      contextStorage: { default: { module: 'localfilesystem', config: { flushInterval: flushSeconds } } },
    },
    flow: (broker) => [
      ...coreOut(broker),
      { id: 'complete', type: 'complete', z: 'tab', scope: ['out'], wires: [['ok']] },
      {
        id: 'ok',
        type: 'change',
        z: 'tab',
        rules: [{ t: 'set', p: 'control', pt: 'msg', to: 'OK', tot: 'str' }],
        wires: [['measured']],
      },
      {
        id: 'measured',
        type: 'guaranteed-delivery',
        z: 'tab',
        controlProperty: 'control',
        OKValue: 'OK',
        FAILValue: 'FAIL',
        maxQueue: 0,
        retrySecs: 1,
        timeout: 5,
        contextStore: 'default',
        wires: [['out']],
      },
    ],
  };
}

/** Keeps what waits for the broker in memory. */
export function mqttOut(): Contestant {
  return {
    name: 'core mqtt out, QoS 1',
    modules: [],
    settings: {},
    flow: (broker) => coreOut(broker, 'measured'),
  };
}

function coreOut(broker: Mosquitto, id = 'out'): FlowNode[] {
  return [
    {
      id: 'broker',
      type: 'mqtt-broker',
      broker: '127.0.0.1',
      port: String(broker.port),
      autoConnect: true,
      clientid: 'bench',
    },
    { id, type: 'mqtt out', z: 'tab', broker: 'broker', qos: '1', topic: '', wires: [] },
  ];
}
