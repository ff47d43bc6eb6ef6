import { parseDialogBody, unreadable, type DialogBody } from '../../shared/dialog/request';
import { EdgeError } from '../../shared/errors';

const MAX_BODY_BYTES = 256 * 1024;

/** What a dialog asks about a model. */
export interface InspectRequest extends Pick<DialogBody, 'node' | 'properties'> {
  /** JSON of a reading to try the model on. */
  sample: string | undefined;
}

/**
 * Checks the body of a request to inspect or try a model.
 * @throws EdgeError `REQUEST`, `TOO_LARGE`
 */
export function parseInspectRequest(body: unknown): InspectRequest {
  const { node, properties, sample } = parseDialogBody(body);
  const bytes = Buffer.byteLength(jsonOf(body) ?? '');
  if (bytes > MAX_BODY_BYTES) {
    throw new EdgeError(
      'TOO_LARGE',
      `The request has ${bytes} bytes; at most ${MAX_BODY_BYTES} are taken. Enter a shorter sample.`,
    );
  }
  return { node, properties, sample: jsonOf(sample) };
}

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    throw unreadable('it is nested too deeply');
  }
}
