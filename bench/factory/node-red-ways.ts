import type { FlowNode } from '../../test/support/runtime';

/** A flow that does the telemetry's job with other nodes than ours. */
export interface Way {
  what: string;
  /** Ends in a `bench-counter` that gets every reading once it is judged. */
  flow(brokerUrl: string): FlowNode[];
  /** Folders of node modules that it needs. */
  modules: readonly string[];
}

/**
 * What an engineer writes with the nodes that Node-RED has: known failures by the rules that made the AI4I data set, written
 * by hand, and novel ones by how many standard deviations a channel is from the mean of its machine's last 1,000 readings,
 * three times in a row; what moved by a hundredth of its span is sent on. No model, no forest, nothing is kept on disk.
 */
const JUDGE = `
const KEPT = 1000, LIMIT = 5, VOTES = 3, WARMUP = 100;
const CHANNELS = ['rotational_speed', 'torque', 'spindle_current', 'coolant_pressure', 'vibration'];
const machines = context.get('machines') || new Map();
context.set('machines', machines);
let machine = machines.get(msg.topic);
if (!machine) {
  machine = { rows: [], at: 0, sums: new Float64Array(5), squares: new Float64Array(5), votes: 0, sent: null,
    low: new Float64Array(5).fill(Infinity), high: new Float64Array(5).fill(-Infinity) };
  machines.set(msg.topic, machine);
}
const p = msg.payload;
const watts = p.torque * p.rotational_speed * 2 * Math.PI / 60;
const known = (p.process_temperature - p.air_temperature < 8.6 && p.rotational_speed < 1380) || watts < 3500 || watts > 9000
  || p.tool_wear > 200 || p.tool_wear * p.torque > 11000;
const row = CHANNELS.map((name) => p[name]);
const count = machine.rows.length;
let worst = 0;
let moved = !machine.sent;
for (let c = 0; c < 5; c++) {
  if (count >= WARMUP) {
    const mean = machine.sums[c] / count;
    const spread = Math.sqrt(Math.max(machine.squares[c] / count - mean * mean, 1e-12));
    worst = Math.max(worst, Math.abs(row[c] - mean) / spread);
  }
  machine.low[c] = Math.min(machine.low[c], row[c]);
  machine.high[c] = Math.max(machine.high[c], row[c]);
  moved = moved || Math.abs(row[c] - machine.sent[c]) > 0.01 * (machine.high[c] - machine.low[c]);
}
machine.votes = worst > LIMIT || known ? machine.votes + 1 : 0;
if (worst <= LIMIT && !known) {
  const old = count === KEPT ? machine.rows[machine.at] : undefined;
  for (let c = 0; c < 5; c++) {
    machine.sums[c] += row[c] - (old ? old[c] : 0);
    machine.squares[c] += row[c] * row[c] - (old ? old[c] * old[c] : 0);
  }
  machine.rows[machine.at] = row;
  machine.at = (machine.at + 1) % KEPT;
}
if (moved) { machine.sent = row; }
const alert = machine.votes === VOTES ? { topic: 'cloud/alerts/' + msg.topic, payload: { reading: p, score: worst, known } } : null;
return [alert, moved ? { topic: 'cloud/readings/' + msg.topic, payload: p } : null, msg];
`;

export function coreNodes(): Way {
  return {
    what: 'core nodes and a function node: rules by hand, deviation from the mean',
    modules: [],
    flow: (url) => [
      ...ends(url, 'judge'),
      {
        id: 'judge',
        type: 'function',
        z: 'tab',
        func: JUDGE,
        outputs: 3,
        wires: [['out'], ['out'], ['count']],
      },
    ],
  };
}

/**
 * Its node that takes several channels at once: the Mahalanobis distance from the last 1,000 readings, those of all
 * machines together; it has no known failures and keeps nothing on disk.
 *
 * @param folder the package with its dependencies; its folder has its name
 */
export function conditionMonitoring(folder: string): Way {
  return {
    what: 'node-red-contrib-condition-monitoring: Mahalanobis distance, one for all machines',
    modules: [folder],
    flow: (url) => [
      ...ends(url, 'channels'),
      {
        id: 'channels',
        type: 'function',
        z: 'tab',
        func: `const { rotational_speed, torque, spindle_current, coolant_pressure, vibration } = msg.payload;
msg.payload = { rotational_speed, torque, spindle_current, coolant_pressure, vibration };
return msg;`,
        outputs: 1,
        wires: [['distance']],
      },
      {
        id: 'distance',
        type: 'multi-value-processor',
        z: 'tab',
        mode: 'analyze',
        field: 'payload',
        anomalyMethod: 'mahalanobis',
        threshold: 4,
        windowSize: 1000,
        wires: [['count'], ['count', 'alert']],
      },
      {
        id: 'alert',
        type: 'change',
        z: 'tab',
        rules: [{ t: 'set', p: 'topic', pt: 'msg', to: 'cloud/alerts', tot: 'str' }],
        wires: [['out']],
      },
    ],
  };
}

/** The broker, what comes from it and what goes to it, and the counter. */
function ends(url: string, first: string): FlowNode[] {
  const { hostname, port } = new URL(url);
  const broker = {
    id: 'broker',
    type: 'mqtt-broker',
    broker: hostname,
    port,
    clientid: '',
    protocolVersion: '4',
  };
  return [
    { id: 'tab', type: 'tab' },
    { ...broker, autoConnect: true, keepalive: '60', cleansession: true },
    {
      id: 'in',
      type: 'mqtt in',
      z: 'tab',
      topic: '+/+/telemetry',
      qos: '1',
      datatype: 'json',
      broker: 'broker',
      inputs: 0,
      wires: [[first]],
    },
    {
      id: 'out',
      type: 'mqtt out',
      z: 'tab',
      topic: '',
      qos: '1',
      retain: 'false',
      broker: 'broker',
      wires: [],
    },
    { id: 'count', type: 'bench-counter', z: 'tab', wires: [] },
  ];
}
