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
  const error = new EdgeError(code, thrown instanceof Error ? thrown.message : String(thrown));
  if (thrown instanceof Error && thrown.stack) {
    error.stack = thrown.stack;
  }
  return error;
}
