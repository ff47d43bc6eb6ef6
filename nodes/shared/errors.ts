/**
 * An error that a user meets. `code` is part of the contract; the message names the property at fault and
 * says what to do.
 */
export class EdgeError extends Error {
  readonly code: string;
  readonly details?: Record<string, unknown>;

  constructor(code: string, message: string, details?: Record<string, unknown>) {
    super(message);
    this.name = 'EdgeError';
    this.code = code;
    if (details) {
      this.details = details;
    }
  }
}

/** Turns anything that was thrown into an {@link EdgeError}; what was not foreseen gets the given code. */
export function toEdgeError(thrown: unknown, code = 'INTERNAL'): EdgeError {
  if (thrown instanceof EdgeError) {
    return thrown;
  }
  const error = new EdgeError(
    code,
    textOf(thrown, 'message') ?? 'Something without a description was thrown.',
  );
  const stack = textOf(thrown, 'stack');
  if (stack) {
    error.stack = stack;
  }
  return error;
}

/** What a payload's own code threw may throw again when it is looked at. */
function textOf(thrown: unknown, property: 'message' | 'stack'): string | undefined {
  try {
    if (thrown instanceof Error) {
      const text: unknown = thrown[property];
      return typeof text === 'string' ? text : undefined;
    }
    return property === 'message' ? String(thrown) : undefined;
  } catch {
    return undefined;
  }
}
