import type { InferenceSession, SessionInfo, TensorData } from '../runtime/backend';
import { OnnxRuntime } from '../runtime/onnx-methods';
import type { SessionSource } from '../model/served-model';

const SESSION = 1;

/**
 * Sessions in this very process, for processes that end with the model that they try.
 *
 * @param module name of the runtime's package
 * @param onInfo told what a model declares as soon as it has loaded
 */
export function sessionsHere(
  module: string,
  onInfo: (info: SessionInfo) => void = () => undefined,
): SessionSource {
  return async ({ bytes }, providers): Promise<InferenceSession> => {
    const runtime = new OnnxRuntime(module);
    const info = await runtime.load({ session: SESSION, bytes, providers });
    onInfo(info);
    return {
      info,
      run: async (feeds) =>
        (await runtime.run({ session: SESSION, feeds })).value as Record<string, TensorData>,
      onLost: () => undefined,
      release: () => Promise.resolve(),
    };
  };
}
