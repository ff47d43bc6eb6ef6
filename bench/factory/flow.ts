import type { FlowNode } from '../../test/support/runtime';
import { readFlow, TEMPLATE } from '../../test/support/template';
import { overMqtt } from '../../scripts/demo/mqtt-flow';
import { LINES } from './protocol';
import { shareState } from './state-flow';

export interface GatewayFlow {
  machinesUrl: string;
  cloudUrl: string;
  /** This gateway's place among all, from 0. */
  gateway: number;
  gateways: number;
  waveQos: 0 | 1;
  /** Where every score is written, one line each; none otherwise. */
  scoresFile?: string;
  /** Where the gateways log what they write to the state that they share; they share none otherwise. */
  stateFolder?: string;
}

/** What only a person looks at, or what stands for machines and cloud in the demonstration. */
const LEFT_OUT =
  /^edge-pm-break|^edge-demo-(break|arrived|watch|mqtt|cloud-mqtt)|^edge-pm-(g1|seen|changed|about)$/;

/** The lines of one gateway; every line belongs to one gateway, so that a source stays with its forest. */
export function linesOf(gateway: number, gateways: number): number[] {
  return Array.from({ length: LINES }, (_, line) => line).filter((line) => line % gateways === gateway);
}

/** The predictive-maintenance template over MQTT for one gateway, with the probe in it. */
export function factoryFlow(options: GatewayFlow): FlowNode[] {
  const { machinesUrl, cloudUrl, gateway, gateways, waveQos } = options;
  const filters = (stream: string): string =>
    linesOf(gateway, gateways)
      .map((line) => `line${line + 1}/+/${stream}`)
      .join('\n');
  const changes: Record<string, object> = {
    [TEMPLATE.ingest]: { topic: filters('telemetry') },
    [TEMPLATE.waves]: { topic: filters('vibration'), qos: waveQos },
    'edge-demo-machines': { clientId: `gateway-${gateway}` },
    'edge-demo-cloud': { clientId: `gateway-${gateway}-up` },
  };
  const template = overMqtt(readFlow('predictive-maintenance'), {
    machines: machinesUrl,
    cloud: cloudUrl,
    protocolVersion: '5',
  });
  const flow = template
    .filter(({ id }) => !LEFT_OUT.test(id))
    .map((node): FlowNode => ({ ...node, ...(changes[node.id] ?? {}) }));
  if (options.scoresFile !== undefined) {
    for (const forest of flow.filter(({ type }) => type === 'iso-forest')) {
      (forest.wires as string[][]).forEach((wire) => wire.push('bench-tap'));
    }
    flow.push({ id: 'bench-tap', type: 'bench-tap', z: 'edge-pm', file: options.scoresFile, wires: [] });
  }
  const { stateFolder: folder } = options;
  const whole = folder === undefined ? flow : shareState(flow, { gateway, gateways, folder });
  return [...whole, { id: 'bench-probe', type: 'bench-probe', z: 'edge-pm', wires: [] }];
}
