import { isRecord, parseDialogBody, textOf, unreadable } from '../../shared/dialog/request';
import { EdgeError } from '../../shared/errors';
import { checkSize } from './preview';
import type { Encoding, PlotChoice, Sample } from './result';

const ENCODINGS: readonly Encoding[] = ['text', 'base64', 'hex', 'json'];
/** Of the properties and the samples together, in characters. */
const MAX_BODY_TEXT = 3 * 1024 * 1024;

/** What a dialog asks for. */
export interface DialogRequest {
  /** The node whose dialog it is; it need not run. */
  node: string;
  properties: Record<string, unknown>;
  /** Undefined for the node's own recording. */
  samples: Sample[] | undefined;
  plot: PlotChoice;
}

/**
 * Checks the body of a request for a preview.
 *
 * @param now the arrival time of samples that name none, ms since the epoch
 * @throws EdgeError `REQUEST`, `TOO_LARGE`
 */
export function parseDialogRequest(body: unknown, now: number): DialogRequest {
  const { node, properties, samples, plot } = parseDialogBody(body);
  const parsed = samples === undefined ? undefined : parseSamples(samples, now);
  const length = JSON.stringify(properties).length;
  if (length > MAX_BODY_TEXT) {
    throw new EdgeError(
      'TOO_LARGE',
      `The properties have ${length} characters; a preview takes at most ${MAX_BODY_TEXT}. Shorten the schema.`,
    );
  }
  return {
    node,
    properties,
    samples: parsed,
    plot: isRecord(plot) ? { source: textOf(plot.source), channel: textOf(plot.channel) } : {},
  };
}

function parseSamples(samples: unknown, now: number): Sample[] {
  if (!Array.isArray(samples)) {
    throw unreadable('its samples are no list');
  }
  const parsed = samples.map((sample: unknown): Sample => {
    const { topic, at, encoding, payload } = isRecord(sample) ? sample : {};
    const known = ENCODINGS.find((candidate) => candidate === encoding);
    if (known === undefined || typeof payload !== 'string') {
      throw unreadable(`a sample needs a payload and one of the encodings ${ENCODINGS.join(', ')}`);
    }
    return {
      topic: textOf(topic) ?? '',
      at: typeof at === 'number' && Number.isFinite(at) ? at : now,
      encoding: known,
      payload,
    };
  });
  checkSize(parsed);
  return parsed;
}
