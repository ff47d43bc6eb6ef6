import type { AssessmentRequest } from '../../assess/assessment';
import type { Sample as Written } from '../../nodes/sensor-ingest/preview/result';
import type { Clock, Timer } from '../../nodes/shared/clock';
import { EdgeError, toEdgeError } from '../../nodes/shared/errors';
import type { Finished, FinishRequest } from './assessment-worker';
import { Capture } from './capture';
import type { JobState } from './summary';

/** A thread that keeps a recording and assesses it. */
export interface AssessmentThread {
  add(portion: Written[]): Promise<void>;
  finish(request: FinishRequest): Promise<Finished>;
  terminate(): Promise<void>;
}

export interface JobOptions {
  clock: Clock;
  startThread(): AssessmentThread;
}

/** What to record, and what to make of it. */
export interface JobRequest extends Pick<AssessmentRequest, 'ingest' | 'given' | 'origin'> {
  node: string;
  milliseconds: number;
  /** Hands on what the node receives until the returned function is called; looked up again now and then. */
  listen(listener: Capture): () => void;
}

const PORTION_MS = 250;
const ATTACH_MS = 2000;
/** The assessment itself takes a few seconds. */
const LONGEST_WORK_MS = 120_000;

/** One recording after another: records what a node receives for some minutes and has it assessed in a thread. */
export class AssessmentJob {
  private phase: JobState = { phase: 'idle' };
  private made: Finished['pages'] | undefined;
  private stopCapture: (() => void) | undefined;

  constructor(private readonly options: JobOptions) {}

  get state(): JobState {
    return this.phase;
  }

  /** The pages of the last assessment, by language. */
  get pages(): Finished['pages'] | undefined {
    return this.made;
  }

  /** @throws EdgeError `BUSY` while another recording is under way */
  start(request: JobRequest): void {
    if (this.phase.phase === 'capturing' || this.phase.phase === 'working') {
      throw new EdgeError('BUSY', 'A recording is under way. Wait for it, or end it.');
    }
    const { clock } = this.options;
    const capture = new Capture();
    const thread = this.options.startThread();
    const began = clock.monotonic();
    const now = clock.now();
    let release = request.listen(capture);
    let attached = began;
    let timer: Timer | undefined;
    let ended = false;
    const show = (): void => {
      this.phase = {
        ...{ phase: 'capturing', node: request.node, began: now, ends: now + request.milliseconds },
        ...{ messages: capture.count, leftOut: capture.leftOut },
      };
    };
    const end = (): void => {
      if (!ended) {
        ended = true;
        timer?.cancel();
        release();
        this.stopCapture = undefined;
        this.phase = { phase: 'working' };
        void this.finish(request, thread, capture, (clock.monotonic() - began) / 1000);
      }
    };
    const turn = (): void => {
      const passed = clock.monotonic() - began;
      if (passed >= request.milliseconds) {
        end();
        return;
      }
      if (clock.monotonic() - attached >= ATTACH_MS) {
        // The node may have been deployed anew.
        attached = clock.monotonic();
        release();
        release = request.listen(capture);
      }
      thread.add(capture.portion()).catch(() => undefined);
      show();
      timer = clock.after(Math.min(PORTION_MS, request.milliseconds - passed), turn);
    };
    this.stopCapture = end;
    show();
    timer = clock.after(Math.min(PORTION_MS, request.milliseconds), turn);
  }

  /** Ends a recording early, with what has come. */
  stop(): void {
    this.stopCapture?.();
  }

  private async finish(
    { ingest, given, origin }: JobRequest,
    thread: AssessmentThread,
    capture: Capture,
    seconds: number,
  ): Promise<void> {
    const { clock } = this.options;
    const overdue = clock.after(LONGEST_WORK_MS, () => void thread.terminate());
    try {
      await thread.add(capture.portion());
      const { summary, pages } = await thread.finish({
        ...{ ingest, given, origin, seconds },
        uncounted: capture.leftOut,
      });
      this.made = pages;
      this.phase = { phase: 'ready', origin, at: clock.now(), summary };
    } catch (thrown) {
      this.phase = { phase: 'failed', message: toEdgeError(thrown).message };
    } finally {
      overdue.cancel();
      await thread.terminate();
    }
  }
}
