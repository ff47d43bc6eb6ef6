import type { EdgeMessage } from '../../nodes/shared/messages';
import type { FlowNode, TestRuntime } from './runtime';
import { readFlow } from './template';

/** Node-RED's own port, by which the examples reach their endpoints. */
const OWN = 'http://127.0.0.1:1880';

interface WiredNode extends FlowNode {
  wires?: string[][];
}

/** An example of Import → Examples at work in the real Node-RED. */
export class ExampleFlow {
  private constructor(
    private readonly runtime: TestRuntime,
    private readonly prefix: string,
    private readonly catches: readonly string[],
  ) {}

  /**
   * Deploys an example as it is, but for the port.
   *
   * @param taps outputs to listen to, as `<node>` or `<node>:<output>`, without the prefix of the flow's ids
   * @param adapt puts the test's own servers into the text of the flow
   */
  static async deploy(
    runtime: TestRuntime,
    name: string,
    taps: readonly string[],
    adapt: (text: string) => string = (text) => text,
  ): Promise<ExampleFlow> {
    const text = adapt(JSON.stringify(readFlow(name)).replaceAll(OWN, runtime.url));
    const flow = JSON.parse(text) as WiredNode[];
    const prefix = flow[0].id;
    const sinks: FlowNode[] = [];
    const listen = (tapped: WiredNode, output: number, sink: string): void => {
      tapped.wires?.[output]?.push(sink);
      sinks.push({ id: sink, type: 'test-sink', z: tapped.z });
    };
    for (const tap of taps) {
      const [node, output = '0'] = tap.split(':');
      const tapped = flow.find(({ id }) => id === `${prefix}-${node}`);
      if (!tapped?.wires) {
        throw new Error(`${name} has no node ${node}`);
      }
      listen(tapped, Number(output), `tap-${tap}`);
    }
    // Each tab has a Catch node of its own.
    const catches = flow.filter(({ type }) => type === 'catch');
    catches.forEach((node) => listen(node, 0, `caught-${node.id}`));
    // Config nodes belong to no tab; the runtime of the tests takes them for nodes, which are made in their order.
    const isConfig = ({ type, z }: FlowNode): boolean => type !== 'tab' && z === undefined;
    const placed = [...flow.filter((node) => !isConfig(node)).slice(0, 1), ...flow.filter(isConfig)];
    placed.push(...flow.filter((node) => !placed.includes(node)));
    await runtime.deploy([
      ...placed.map((node) => (isConfig(node) ? { ...node, z: prefix } : node)),
      ...sinks,
    ]);
    return new ExampleFlow(
      runtime,
      prefix,
      catches.map(({ id }) => `caught-${id}`),
    );
  }

  /** Presses the button of an inject node. */
  press(...buttons: string[]): void {
    for (const button of buttons) {
      this.runtime.inject(`${this.prefix}-${button}`, {});
    }
  }

  /** What came out of a tapped output so far. */
  seen(tap: string): EdgeMessage[] {
    return this.runtime.messages(`tap-${tap}`);
  }

  /** Waits for a message out of a tapped output. */
  async waitFor(tap: string, holds: (msg: EdgeMessage) => boolean, what: string): Promise<EdgeMessage> {
    await this.runtime.until(() => this.seen(tap).some(holds), what, 20_000);
    return this.seen(tap).find(holds) as EdgeMessage;
  }

  /** What Catch nodes were told. */
  problems(): unknown[] {
    return this.catches.flatMap((sink) => this.runtime.messages(sink)).map(({ error }) => error);
  }
}
