/** The floor: onnxruntime-node in a loop, with nothing around it. A process of its own. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Order } from './protocol';
import { drive } from './workload';

const { file, input } = JSON.parse(process.argv[2]) as { file: string; input: string };

async function main(): Promise<void> {
  const session = await InferenceSession.create(file, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  process.on('message', (order: Order) => {
    drive(order, async (rows) => {
      const data = new Float32Array(rows.length * order.width);
      rows.forEach((row, at) => data.set(row, at * order.width));
      await session.run({ [input]: new Tensor('float32', data, [rows.length, order.width]) });
    }).then(
      (findings) => process.send?.(findings),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.({ ready: true });
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
