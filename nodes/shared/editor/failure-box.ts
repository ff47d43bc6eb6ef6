import type { Failure } from '../dialog/failure';

/** Texts of the node's own locale. */
export type Translate = (key: string, parameters?: Record<string, unknown>) => string;

/** Why a request got no answer that could be used. */
type Refusal = 'unreachable' | 'forbidden' | 'tooLarge' | 'failed';

const REFUSALS: Partial<Record<number, Refusal>> = {
  0: 'unreachable',
  401: 'forbidden',
  403: 'forbidden',
  413: 'tooLarge',
};

/** An error as the node would give it: its code and its message; a configuration error with its property. */
export function failureBox({ code, message, property }: Failure, translate: Translate): JQuery {
  const box = $('<div>', { class: 'edge-failure', role: 'alert' }).append($('<code>').text(code));
  // Other errors name properties of files, such as a model card's, which may be called the same.
  if (property !== undefined && code === 'CONFIG') {
    const key = `label.${property}`;
    const label = translate(key);
    box.append($('<strong>').text(label.endsWith(key) ? property : label));
  }
  return box.append($('<div>').text(message));
}

/**
 * What a request failed for.
 *
 * @param code for a failure without one of its own
 * @param translate looks the texts `unreachable`, `forbidden`, `tooLarge` and `failed` up
 */
export function failureOfResponse(response: JQuery.jqXHR, code: string, translate: Translate): Failure {
  const failure = (response.responseJSON ?? {}) as Partial<Failure>;
  const { status } = response;
  return {
    ...failure,
    code: failure.code ?? code,
    message: failure.message ?? translate(REFUSALS[status] ?? 'failed', { status }),
  };
}
