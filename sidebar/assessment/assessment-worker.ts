import { availableParallelism, cpus, totalmem } from 'node:os';
import { assess } from '../../assess/assessment';
import type { AssessmentRequest } from '../../assess/assessment';
import { payloadBytes } from '../../assess/read-sample';
import { htmlReport } from '../../assess/report-html';
import { loadLanguage, REPORT_LANGUAGES } from '../../assess/report-languages';
import { SampleBuilder } from '../../assess/sample';
import type { Sample as Written } from '../../nodes/sensor-ingest/preview/result';
import { decodePayload } from '../../nodes/sensor-ingest/preview/sample';
import { systemClock } from '../../nodes/shared/clock';
import { serveWorker } from '../../nodes/shared/worker/serve-worker';
import { summaryOf, type Summary } from './summary';

/** What the thread is told when the recording ends. */
export type FinishRequest = Pick<AssessmentRequest, 'ingest' | 'given' | 'origin' | 'uncounted'> & {
  seconds: number;
};

export interface Finished {
  summary: Summary;
  /** The report in each language, by its tag: whoever reads it may have another than who recorded. */
  pages: Record<string, string>;
}

const builder = new SampleBuilder();

function add(portion: readonly Written[]): void {
  for (const written of portion) {
    const payload = decodePayload(written, false);
    builder.add({ topic: written.topic, payload, at: written.at, bytes: payloadBytes(payload) });
  }
}

function finish({ seconds, ...request }: FinishRequest): Finished {
  const assessment = assess({
    ...request,
    sample: builder.sample(seconds),
    machine: { processor: cpus()[0].model, cores: availableParallelism(), memoryBytes: totalmem() },
    now: systemClock.now(),
    monotonic: () => systemClock.monotonic(),
  });
  const pages = REPORT_LANGUAGES.map((tag) => [tag, htmlReport(assessment, loadLanguage(tag))]);
  return { summary: summaryOf(assessment), pages: Object.fromEntries(pages) as Finished['pages'] };
}

/** What a thread of its own does for one assessment. */
export type AssessmentMethods = { add: typeof add; finish: typeof finish };

serveWorker({ add, finish } satisfies AssessmentMethods);
