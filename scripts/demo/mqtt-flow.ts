/** One entry of a flow file. */
export interface FlowEntry {
  id: string;
  type: string;
  wires?: string[][];
  [property: string]: unknown;
}

export interface MqttFlowOptions {
  /** Address of the broker that the machines publish to, or `${VARIABLE}`. */
  machines: string;
  /** Address of the broker that stands for the cloud. */
  cloud: string;
  /** What both brokers speak; aedes knows MQTT 3.1.1 only. */
  protocolVersion: '4' | '5';
}

/** What the machines' simulation listens to. */
export const BREAK_TOPIC = 'simulation/break';
/** Under which topics the cloud receives. */
export const CLOUD_TOPICS = 'cloud/#';

const TAB = 'edge-pm';
/** Takes the uplink's compressed batches apart. */
const UNPACK = `zlib.gunzip(msg.payload, (error, body) => {
    if (error) {
        node.error(error, msg);
        return;
    }
    for (const message of JSON.parse(body).messages) {
        node.send({ topic: message.topic, payload: message });
    }
    node.done();
});`;
const ONLY_IN_TEMPLATE = new Set([
  'edge-pm-tick',
  'edge-pm-line',
  'edge-pm-http',
  'edge-pm-ok',
  'edge-pm-batch',
  'edge-pm-each',
  'edge-pm-arrived',
  'edge-pm-cloud',
  'edge-pm-g2',
]);

/**
 * The predictive-maintenance template with real MQTT at both ends instead of the machines inside the flow and the
 * HTTP endpoint: what an engineer changes to use their own machines and cloud.
 */
export function overMqtt(template: readonly FlowEntry[], options: MqttFlowOptions): FlowEntry[] {
  const flow = template
    .filter(({ id }) => !ONLY_IN_TEMPLATE.has(id))
    .map((entry) => ({ ...entry, ...changes(entry) }));
  return [
    ...flow,
    edgeBroker('edge-demo-machines', 'Machines', options.machines, options.protocolVersion),
    edgeBroker('edge-demo-cloud', 'Cloud', options.cloud, options.protocolVersion),
    mqttBroker('edge-demo-mqtt', options.machines, options.protocolVersion),
    mqttBroker('edge-demo-cloud-mqtt', options.cloud, options.protocolVersion),
    {
      id: 'edge-demo-break',
      type: 'mqtt out',
      z: TAB,
      name: 'to the machines',
      topic: BREAK_TOPIC,
      qos: '1',
      retain: 'false',
      broker: 'edge-demo-mqtt',
      x: 340,
      y: 320,
      wires: [],
    },
    {
      id: 'edge-demo-arrived',
      type: 'mqtt in',
      z: TAB,
      name: 'Arrived in the cloud',
      topic: CLOUD_TOPICS,
      qos: '1',
      datatype: 'buffer',
      broker: 'edge-demo-cloud-mqtt',
      nl: false,
      rap: true,
      rh: 0,
      inputs: 0,
      x: 560,
      y: 540,
      wires: [['edge-demo-unpack']],
    },
    {
      id: 'edge-demo-unpack',
      type: 'function',
      z: TAB,
      name: 'one by one',
      func: UNPACK,
      outputs: 1,
      libs: [{ var: 'zlib', module: 'zlib' }],
      x: 770,
      y: 540,
      wires: [['edge-demo-watch']],
    },
    {
      id: 'edge-demo-watch',
      type: 'debug',
      z: TAB,
      name: 'watch the cloud',
      active: false,
      tosidebar: true,
      console: false,
      tostatus: false,
      complete: 'payload',
      targetType: 'msg',
      x: 960,
      y: 540,
      wires: [],
    },
  ];
}

function changes(entry: FlowEntry): Partial<FlowEntry> {
  if (entry.id === 'edge-pm-ingest' || entry.id === 'edge-pm-waves') {
    const channel = entry.id === 'edge-pm-ingest' ? 'telemetry' : 'vibration';
    return { source: 'mqtt', broker: 'edge-demo-machines', topic: `plant1/+/${channel}` };
  }
  if (entry.id.startsWith('edge-pm-break-')) {
    return { wires: [['edge-demo-break']] };
  }
  if (entry.id === 'edge-pm-uplink') {
    return { connections: ['edge-demo-cloud'] };
  }
  return {};
}

function edgeBroker(id: string, name: string, url: string, protocolVersion: string): FlowEntry {
  return {
    id,
    type: 'edge-broker',
    z: TAB,
    name,
    url,
    clientId: '',
    protocolVersion,
    keepalive: 15,
    cleanStart: false,
    sessionExpiry: 86400,
    tls: '',
    shareClientId: false,
  };
}

function mqttBroker(id: string, broker: string, protocolVersion: string): FlowEntry {
  return {
    id,
    type: 'mqtt-broker',
    z: TAB,
    name: '',
    broker,
    port: '',
    clientid: '',
    autoConnect: true,
    usetls: false,
    protocolVersion,
    keepalive: '60',
    cleansession: true,
  };
}
