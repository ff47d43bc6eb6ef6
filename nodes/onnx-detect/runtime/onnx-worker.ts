import { workerData } from 'node:worker_threads';
import { serveWorker } from '../../shared/worker/serve-worker';
import { OnnxRuntime, type LoadCall } from './onnx-methods';

const runtime = new OnnxRuntime((workerData as { module: string }).module);

serveWorker({
  load: (call: LoadCall) => runtime.load(call),
  run: (call: Parameters<OnnxRuntime['run']>[0]) => runtime.run(call),
  release: (call: { session: number }) => runtime.release(call),
});
