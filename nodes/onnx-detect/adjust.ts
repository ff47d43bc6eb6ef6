import type { OnnxDetectConfig } from './config';
import type { ModelRequest } from './model/model-file';
import type { ModelKeeper } from './model-keeper';

/** Brings a running detector from one configuration to another that differs in model, threshold and votes only. */
export class Adjuster {
  /** Whether the model in service is one that a document named. */
  private named = false;

  /** @param config what the node was started with; its `serving` and `alarm` are what it works by, and are changed */
  constructor(
    private readonly config: OnnxDetectConfig,
    private readonly keeper: ModelKeeper,
  ) {}

  /** Rejects with what stands against it; the detector then goes on as before. */
  async adjust(wanted: OnnxDetectConfig): Promise<void> {
    const { serving, shadow, alarm } = this.config;
    const { threshold } = serving;
    const earlier = this.keeper.inService ?? this.config.request;
    const isNamed = !sameModel(wanted.request, this.config.request);
    const model = isNamed
      ? // Only what stands in the flow may lie outside of the known folders.
        { ...wanted.request, trusted: false }
      : this.named
        ? this.config.request
        : earlier;
    serving.threshold = wanted.serving.threshold;
    try {
      await this.keeper.swap({ model, shadow: wanted.shadow ?? null });
    } catch (thrown) {
      serving.threshold = threshold;
      await this.keeper.swap({ model: earlier, shadow: shadow ?? null });
      throw thrown;
    }
    this.named = isNamed;
    this.config.shadow = wanted.shadow;
    Object.assign(alarm, wanted.alarm);
  }
}

function sameModel(one: ModelRequest, other: ModelRequest): boolean {
  return one.model === other.model && one.digest === other.digest;
}
