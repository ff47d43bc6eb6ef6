import { serveProcess } from '../../shared/worker/serve-worker';
import { inspectModel } from './inspect';
import { tryModel } from './try';

/** What the process in which a dialog's model is looked at serves. */
export type InspectMethods = { inspect: typeof inspectModel; try: typeof tryModel };

serveProcess({ inspect: inspectModel, try: tryModel } satisfies InspectMethods);
