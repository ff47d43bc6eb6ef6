/**
 * Nodes of the measured Node-RED: a driver, the sink behind the model, and a model served as other nodes of the palette
 * serve one: `session.run` in the input handler.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import type { Order } from './protocol';
import { drive } from './workload';

interface Numbered extends NodeMessage {
  _msgid: string;
  payload: unknown;
}

export = function (RED: NodeAPI): void {
  const waiting = new Map<string, () => void>();

  RED.nodes.registerType('bench-driver', function (this: Node, definition: NodeDef) {
    RED.nodes.createNode(this, definition);
    const name = definition.name;
    const judge = (rows: number[][]): Promise<void> =>
      new Promise((resolve) => {
        const msg: Numbered = {
          _msgid: RED.util.generateId(),
          payload: rows.length === 1 ? rows[0] : rows,
        };
        waiting.set(msg._msgid, resolve);
        this.send(msg);
      });
    const onOrder = (order: Order & { driver?: string }): void => {
      if (order.driver === name) {
        drive(order, judge).then(
          (findings) => process.send?.({ kind: 'sink', id: name, msg: { payload: findings } }),
          (error: unknown) => this.error(error),
        );
      }
    };
    process.on('message', onOrder);
    this.on('close', () => process.off('message', onOrder));
  });

  RED.nodes.registerType('bench-sink', function (this: Node, definition: NodeDef) {
    RED.nodes.createNode(this, definition);
    this.on('input', (msg, _send, done) => {
      const settle = waiting.get(msg._msgid);
      waiting.delete(msg._msgid);
      settle?.();
      done();
    });
  });

  RED.nodes.registerType(
    'bench-inline',
    function (this: Node, definition: NodeDef & { file: string; input: string; width: number }) {
      RED.nodes.createNode(this, definition);
      const { file, input, width } = definition;
      const loading = InferenceSession.create(file, { intraOpNumThreads: 1, interOpNumThreads: 1 });
      this.on('input', (msg, send, done) => {
        const payload = msg.payload as number[] | number[][];
        const flat = Float32Array.from(payload.flat());
        loading
          .then((session) =>
            session.run({ [input]: new Tensor('float32', flat, [flat.length / width, width]) }),
          )
          .then((outputs) => {
            msg.payload = Object.values(outputs)[0].data;
            send(msg);
            done();
          })
          .catch((error: unknown) => done(error as Error));
      });
    },
  );
};
