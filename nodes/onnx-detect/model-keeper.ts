import type { Clock, Timer } from '../shared/clock';
import { EdgeError, toEdgeError } from '../shared/errors';
import type { Detector } from './detector';
import type { ModelOperation } from './config';
import type { ModelRequest } from './model/model-file';
import type { ModelLoader, ServedModel } from './model/served-model';
import type { Shadow } from './shadow';

/** Who wants to know which model serves. */
export interface ModelObserver {
  loading(model: string): void;
  ready(model: ServedModel): void;
  /** No model serves, and why. */
  failed(error: EdgeError): void;
  /** A candidate looks on from now, or none. */
  shadowed(model: ServedModel | undefined): void;
  /** A candidate does not look on, and why; the live model is not concerned. */
  shadowFailed(error: EdgeError): void;
}

const RESTART_DELAY_MS = 1000;
/** A thread that dies again this soon after a restart is not started once more. */
const RESTART_WINDOW_MS = 60_000;
const MAX_WAITING_SWAPS = 4;
const DRAIN_MS = 2000;
/** How long a model that is being loaded is waited for when the node closes. */
const LOAD_MS = 8000;

/**
 * Keeps a detector supplied with its model: loads the first one, exchanges it on request with the old one serving
 * until the new one has proven itself, and brings it back once when its thread dies.
 */
export class ModelKeeper {
  private current: ServedModel | undefined;
  /** How to load the current model again. */
  private request: ModelRequest | undefined;
  private work: Promise<void> = Promise.resolve();
  private waitingSwaps = 0;
  private restartedAt = -Infinity;
  private restart: Timer | undefined;
  private closed = false;

  constructor(
    private readonly detector: Detector,
    private readonly load: ModelLoader,
    private readonly clock: Clock,
    private readonly observer: ModelObserver,
    private readonly shadowOf: (model: ServedModel) => Shadow,
  ) {}

  /** Loads the first model, for which readings wait, and then the candidate that looks on. */
  start(request: ModelRequest, shadow?: ModelRequest): void {
    this.observer.loading(request.model);
    this.work = this.bring(request).catch((thrown: unknown) => this.fail(thrown));
    if (shadow) {
      this.work = this.work
        .then(() => this.bringShadow(shadow))
        .catch((thrown: unknown) => this.observer.shadowFailed(toEdgeError(thrown)));
    }
  }

  /** How the model in service was asked for, with its digest; undefined before the first. */
  get inService(): ModelRequest | undefined {
    return this.request;
  }

  /**
   * Exchanges the model or the candidate, after exchanges that were asked for before.
   * @throws EdgeError why the new one was refused; the old one serves on
   */
  async swap({ model, shadow }: ModelOperation): Promise<void> {
    if (this.waitingSwaps >= MAX_WAITING_SWAPS) {
      throw new EdgeError(
        'OVERLOAD',
        `${MAX_WAITING_SWAPS} exchanges of the model are under way already. Wait until they are done.`,
      );
    }
    this.waitingSwaps++;
    const swapped = this.work.then(async () => {
      if (model) {
        await this.bring(model);
      }
      if (shadow !== undefined) {
        await this.bringShadow(shadow ?? undefined);
      }
    });
    this.work = swapped.catch(() => undefined);
    try {
      await swapped;
    } finally {
      this.waitingSwaps--;
    }
  }

  /** Judges what waits, as long as that is quick, and gives the model back. */
  async close(): Promise<void> {
    this.closed = true;
    this.restart?.cancel();
    const limit = new Promise<void>((resolve) => this.clock.after(DRAIN_MS, resolve));
    await Promise.race([this.detector.drained(), limit]);
    this.detector.refuse(
      new EdgeError('INFERENCE', 'The node was stopped before this reading was judged. Send it again.'),
    );
    // A thread must not be left loading: the process aborts when it ends in the middle of native code.
    await Promise.race([this.work, new Promise<void>((resolve) => this.clock.after(LOAD_MS, resolve))]);
    await this.dropShadow();
    await this.current?.session.release();
    this.current = undefined;
  }

  /** Asked before and after waiting; the flag may have changed in between. */
  private isClosed(): boolean {
    return this.closed;
  }

  private async bring(request: ModelRequest): Promise<void> {
    if (this.isClosed()) {
      return;
    }
    const model = await this.load(request);
    if (this.isClosed()) {
      await model.session.release();
      return;
    }
    model.session.onLost(() => this.lost(model));
    this.current = model;
    // Another file under the same name must not slip in at a restart.
    this.request = { ...request, digest: model.identity.digest };
    this.restart?.cancel();
    this.observer.ready(model);
    const before = await this.detector.serve(model);
    await before?.session.release();
    if (this.detector.shadowDigest === model.identity.digest) {
      // It has become the live one.
      await this.dropShadow();
      this.observer.shadowed(undefined);
    }
  }

  /** Lets a candidate look on instead of the one before, which stays if the new one cannot. */
  private async bringShadow(request: ModelRequest | undefined): Promise<void> {
    if (this.isClosed()) {
      return;
    }
    const model = request && (await this.load(request));
    if (this.isClosed()) {
      await model?.session.release();
      return;
    }
    await this.dropShadow();
    if (model) {
      model.session.onLost(() => this.shadowLost(model));
      await this.detector.watchWith(this.shadowOf(model));
    }
    this.observer.shadowed(model);
  }

  private async dropShadow(): Promise<void> {
    const before = await this.detector.watchWith(undefined);
    await before?.model.session.release();
  }

  private shadowLost(model: ServedModel): void {
    this.detector.watchWith(undefined).catch(() => undefined);
    this.observer.shadowFailed(
      new EdgeError(
        'INFERENCE',
        `The thread of the candidate "${model.identity.name}" ended; it no longer looks on. Deploy the node again.`,
      ),
    );
  }

  private lost(model: ServedModel): void {
    if (this.closed || this.current !== model || !this.request) {
      return;
    }
    const { request } = this;
    this.current = undefined;
    if (this.clock.monotonic() - this.restartedAt < RESTART_WINDOW_MS) {
      this.fail(
        new EdgeError(
          'INFERENCE',
          'The inference thread ended twice within a minute. The model may need more memory than this machine has; use a smaller one, then deploy the node again.',
        ),
      );
      return;
    }
    this.restartedAt = this.clock.monotonic();
    this.detector.suspend();
    this.observer.loading(request.model);
    this.restart = this.clock.after(RESTART_DELAY_MS, () => {
      const again = (): Promise<void> =>
        this.current || this.closed ? Promise.resolve() : this.bring(request);
      this.work = this.work.then(again).catch((thrown: unknown) => this.fail(thrown));
    });
  }

  private fail(thrown: unknown): void {
    if (this.closed) {
      return;
    }
    const error = toEdgeError(thrown);
    this.detector.refuse(error);
    this.observer.failed(error);
  }
}
