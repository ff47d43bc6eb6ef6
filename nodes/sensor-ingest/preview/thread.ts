import { join } from 'node:path';
import { WorkerClient } from '../../shared/worker/worker-client';
import type { PreviewMethods } from './preview-worker';
import type { PreviewThread } from './runner';

/** Starts the thread that makes previews; it keeps no process alive. */
export function startPreviewThread(): PreviewThread {
  const client = new WorkerClient<PreviewMethods>(join(__dirname, 'preview-worker.js'), {
    name: 'sensor-ingest preview',
    background: true,
  });
  return {
    preview: (request) => client.call('preview', request),
    close: () => client.close(),
    terminate: () => client.terminate(),
  };
}
