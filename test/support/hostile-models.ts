import * as onnx from './onnx-builder';

/** Models that no exporter would make, for what they do to the process that runs them. */

const x = onnx.value('x', onnx.FLOAT, ['N', 1]);
const y = onnx.value('y', onnx.FLOAT, ['N', 1]);

/** Needs 8 GB for one tensor of zeros. */
export const hugeModel = onnx.model({
  nodes: [
    onnx.node('ConstantOfShape', ['shape'], ['zeros']),
    onnx.node('ReduceSum', ['zeros'], ['sum']),
    onnx.node('Add', ['x', 'sum'], ['y']),
  ],
  inputs: [x],
  outputs: [y],
  initializers: [onnx.int64Tensor('shape', [1], [2_000_000_000n])],
});

/** Answers with 80 MB. */
export const talkativeModel = onnx.model({
  nodes: [
    onnx.node('ConstantOfShape', ['shape'], ['zeros']),
    onnx.node('ReduceSum', ['x'], ['sum']),
    onnx.node('Add', ['zeros', 'sum'], ['y']),
  ],
  inputs: [x],
  outputs: [onnx.value('y', onnx.FLOAT, ['N', 20_000_000])],
  initializers: [onnx.int64Tensor('shape', [2], [1n, 20_000_000n])],
});

const loopBody = onnx.graph({
  nodes: [onnx.node('Identity', ['going'], ['goes']), onnx.node('Add', ['before', 'before'], ['behind'])],
  inputs: [
    onnx.value('turn', onnx.INT64, []),
    onnx.value('going', onnx.BOOL, []),
    onnx.value('before', onnx.FLOAT, ['N', 1]),
  ],
  outputs: [onnx.value('goes', onnx.BOOL, []), onnx.value('behind', onnx.FLOAT, ['N', 1])],
});
/** Goes round and round in the runtime's own code. */
export const endlessModel = onnx.model({
  nodes: [onnx.node('Loop', ['turns', '', 'x'], ['y'], onnx.graphAttribute('body', loopBody))],
  inputs: [x],
  outputs: [y],
  initializers: [onnx.int64Tensor('turns', [], [2n ** 62n])],
});
