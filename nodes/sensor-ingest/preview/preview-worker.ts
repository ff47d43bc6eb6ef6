import { serveWorker } from '../../shared/worker/serve-worker';
import { preview } from './preview';

/** What {@link PreviewRunner}'s thread does. */
export type PreviewMethods = { preview: typeof preview };

serveWorker({ preview } satisfies PreviewMethods);
