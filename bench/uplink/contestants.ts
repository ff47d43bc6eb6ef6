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

function coreOut(broker: Mosquitto): FlowNode[] {
  return [
    {
      id: 'broker',
      type: 'mqtt-broker',
      broker: '127.0.0.1',
      port: String(broker.port),
      autoConnect: true,
      clientid: 'bench',
    },
    { id: 'out', type: 'mqtt out', z: 'tab', broker: 'broker', qos: '1', topic: '', wires: [] },
  ];
}
