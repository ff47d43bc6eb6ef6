import { EdgeError } from '../../shared/errors';
import { checkSize } from './preview';
import type { Encoding, PlotChoice, Sample } from './result';

const ENCODINGS: readonly Encoding[] = ['text', 'base64', 'hex', 'json'];
/** Of the properties and the samples together, in characters. */
const MAX_BODY_TEXT = 3 * 1024 * 1024;
/** How Node-RED writes a variable, as a whole value. */
const VARIABLE = /^\$(?:\{\S+\}|\(\S+\))$/;
/** The channels table is the deepest of the properties. */
const MAX_DEPTH = 3;

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
  if (!isRecord(body) || !isRecord(body.properties)) {
    throw unfit('it has no properties');
  }
  const { node, properties, samples, plot } = body;
  const parsed = samples === undefined ? undefined : parseSamples(samples, now);
  const length = JSON.stringify(properties).length;
  if (length > MAX_BODY_TEXT) {
    throw new EdgeError(
      'TOO_LARGE',
      `The properties have ${length} characters; a preview takes at most ${MAX_BODY_TEXT}. Shorten the schema.`,
    );
  }
  return {
    node: typeof node === 'string' ? node : '',
    properties,
    samples: parsed,
    plot: isRecord(plot) ? { source: textOf(plot.source), channel: textOf(plot.channel) } : {},
  };
}

/**
 * The properties with the values of `${VARIABLE}`s, as Node-RED fills them in when it starts a node.
 *
 * @param lookUp gives a variable's value, or undefined
 */
export function fillVariables(value: unknown, lookUp: (name: string) => unknown, depth = 0): unknown {
  if (typeof value === 'string') {
    const match = VARIABLE.exec(value);
    return (match && lookUp(match[0].slice(2, -1))) ?? value;
  }
  if (depth >= MAX_DEPTH) {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map((entry) => fillVariables(entry, lookUp, depth + 1));
  }
  return isRecord(value)
    ? Object.fromEntries(
        Object.entries(value).map(([name, entry]) => [name, fillVariables(entry, lookUp, depth + 1)]),
      )
    : value;
}

function parseSamples(samples: unknown, now: number): Sample[] {
  if (!Array.isArray(samples)) {
    throw unfit('its samples are no list');
  }
  const parsed = samples.map((sample: unknown): Sample => {
    const { topic, at, encoding, payload } = isRecord(sample) ? sample : {};
    const known = ENCODINGS.find((candidate) => candidate === encoding);
    if (known === undefined || typeof payload !== 'string') {
      throw unfit(`a sample needs a payload and one of the encodings ${ENCODINGS.join(', ')}`);
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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function unfit(reason: string): EdgeError {
  return new EdgeError(
    'REQUEST',
    `The request for a preview cannot be read: ${reason}. Reload the editor, which may be older than the gateway.`,
  );
}
