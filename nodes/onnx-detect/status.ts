import type { Clock, Timer } from '../shared/clock';
import type { Verdict } from '../shared/detection/rows';
import type { EdgeError } from '../shared/errors';
import type { StatusReporter } from '../shared/status';

/** How long a detection, an overload or a refused reading stays in view after the last one. */
const SHOWN_MS = 10_000;

/** What the node shows under itself: its model, and for a while whatever happened that somebody should see. */
export class DetectorStatus {
  private base: () => void = () => undefined;
  private down = true;
  private serving = { model: '', provider: '' };
  private shadow: string | undefined;
  private event: Timer | undefined;
  private until = 0;

  constructor(
    private readonly clock: Clock,
    private readonly status: StatusReporter,
  ) {}

  loading(model: string): void {
    this.become(true, () => this.status.set('busy', 'status.loading', { model }));
  }

  ready(model: string, provider: string): void {
    this.serving = { model, provider };
    this.showServing();
  }

  /** A candidate looks on beside the model, or none. */
  shadowed(shadow: string | undefined): void {
    this.shadow = shadow;
    if (!this.down) {
      this.showServing();
    }
  }

  /** No model serves. */
  failed({ code }: EdgeError): void {
    this.become(true, () => this.status.set('error', `status.${code}`));
  }

  judged(verdicts: readonly Verdict[]): void {
    const found = verdicts.find(({ detection }) => detection.kind !== undefined)?.detection;
    if (found) {
      this.report(() =>
        found.label === undefined
          ? this.status.set('warning', 'status.detected', { source: found.source })
          : this.status.set('warning', 'status.detected-label', { label: found.label, source: found.source }),
      );
    } else if (verdicts.every(({ detection }) => detection.status === 'SUPPRESSED')) {
      this.report(() => this.status.set('idle', 'status.suppressed'));
    }
  }

  /** A reading was refused; while no model serves, the reason for that stays in view. */
  refused({ code }: EdgeError): void {
    if (!this.down || code === 'OVERLOAD') {
      this.report(() =>
        this.status.set('warning', code === 'OVERLOAD' ? 'status.overload' : 'status.refused', { code }),
      );
    }
  }

  close(): void {
    this.event?.cancel();
  }

  private showServing(): void {
    const { serving, shadow } = this;
    this.become(false, () =>
      shadow === undefined
        ? this.status.set('ok', 'status.ready', serving)
        : this.status.set('ok', 'status.shadow', { ...serving, shadow }),
    );
  }

  private become(down: boolean, base: () => void): void {
    this.down = down;
    this.base = base;
    this.close();
    this.event = undefined;
    base();
  }

  private report(show: () => void): void {
    show();
    this.until = this.clock.monotonic() + SHOWN_MS;
    this.event ??= this.clock.after(SHOWN_MS, () => this.fade());
  }

  /** One timer serves any number of events: it waits on while newer ones came. */
  private fade(): void {
    const rest = this.until - this.clock.monotonic();
    this.event = rest > 0 ? this.clock.after(rest, () => this.fade()) : undefined;
    if (!this.event) {
      this.base();
    }
  }
}
