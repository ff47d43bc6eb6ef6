import { toEdgeError } from '../errors';
import { excerpt } from '../text';

/** An error as a dialog shows it; `property` is the one that the error names. */
export interface Failure {
  code: string;
  message: string;
  property?: string;
}

/** Longest message that is shown whole; what a model or a schema made of it can be of any length. */
const MAX_MESSAGE = 4000;

/** An error as the node gives it. */
export function failureOf(thrown: unknown): Failure {
  const { code, message, details } = toEdgeError(thrown);
  const property = details?.property;
  return { code, message: excerpt(message, MAX_MESSAGE), ...(typeof property === 'string' && { property }) };
}
