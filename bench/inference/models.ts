import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SeededRandom } from '../../nodes/shared/random';
import * as onnx from '../../test/support/onnx-builder';

/** A model to measure. */
export interface BenchModel {
  name: string;
  file: string;
  input: string;
  width: number;
  /** Properties of `onnx-detect`. */
  properties: object;
}

function floatTensor(name: string, dims: number[], random: SeededRandom): Uint8Array {
  const size = dims.reduce((product, dim) => product * dim, 1);
  const data = Float32Array.from({ length: size }, () => (random.next() - 0.5) / Math.sqrt(dims[0]));
  return onnx.message(
    ...dims.map((dim): [number, number] => [1, dim]),
    [2, onnx.FLOAT],
    [8, name],
    [9, new Uint8Array(data.buffer)],
  );
}

/** A multilayer perceptron with one output, as heavy as its layers. */
export function perceptron(
  folder: string,
  name: string,
  width: number,
  hidden: number,
  layers: number,
): BenchModel {
  const random = new SeededRandom(7);
  const nodes: Uint8Array[] = [];
  const initializers: Uint8Array[] = [];
  let from = 'x';
  const sizes = [width, ...new Array<number>(layers).fill(hidden), 1];
  for (let i = 0; i + 1 < sizes.length; i++) {
    initializers.push(floatTensor(`w${i}`, [sizes[i], sizes[i + 1]], random));
    const isLast = i + 2 === sizes.length;
    nodes.push(onnx.node('MatMul', [from, `w${i}`], [`m${i}`]));
    nodes.push(onnx.node(isLast ? 'Sigmoid' : 'Relu', [`m${i}`], [isLast ? 'probability' : `h${i}`]));
    from = `h${i}`;
  }
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.onnx`);
  writeFileSync(
    file,
    onnx.model({
      nodes,
      inputs: [onnx.value('x', onnx.FLOAT, ['N', width])],
      outputs: [onnx.value('probability', onnx.FLOAT, ['N', 1])],
      initializers,
    }),
  );
  return { name, file, input: 'x', width, properties: { model: file, threshold: 0.99 } };
}
