import { EdgeError } from '../../shared/errors';

import type { WindowPlan } from './window-plan';

export type Task = 'classify' | 'regress' | 'reconstruct';

/** What has to be done to a classifier's outputs to make probabilities of them. */
export type Activation = 'none' | 'sigmoid' | 'softmax';

/** Readings in a window. */
const MAX_WINDOW = 10_000;

/** One feature of the model; what the model gets is `(value - mean) / scale`. */
export interface CardFeature {
  name: string;
  mean: number;
  scale: number;
  /** The input that it goes to, for a model with several. */
  input: string | undefined;
}

/** An output with one column for each failure mode; `none` is the label of no failure. */
export interface CardModes {
  output: string;
  labels: readonly string[];
  none: string | undefined;
}

/** What lies beside a model and says how it was trained: the part of it that serving needs. */
export interface ModelCard {
  name: string;
  version: string;
  task: Task | undefined;
  features: readonly CardFeature[] | undefined;
  /** Readings that the model looks at together. */
  window: WindowPlan | undefined;
  labels: readonly string[] | undefined;
  positive: string | undefined;
  threshold: number | undefined;
  /** Which side of the threshold is bad. */
  direction: 'above' | 'below';
  /** A row to try the model on: values in the order of the features, or by their names. */
  sample: unknown;
  /** SHA-256 of the model in lower-case hex. */
  digest: string | undefined;
  /** The output that holds the score. */
  scoreOutput: string | undefined;
  /** Undefined = found by trial. */
  activation: Activation | undefined;
  modes: CardModes | undefined;
}

/**
 * Reads a model card.
 * @throws EdgeError `MODEL_INVALID` naming the property that is wrong
 */
export function parseCard(text: string, file: string): ModelCard {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (thrown) {
    throw invalid(file, `is no JSON (${thrown instanceof Error ? thrown.message : String(thrown)})`);
  }
  if (!isObject(json)) {
    throw invalid(file, 'must be a JSON object');
  }
  const card = new Section(json, file, '');
  const outputs = card.section('outputs');
  const modes = outputs?.section('modes');
  return {
    name: card.text('name') ?? '',
    version: card.text('version') ?? '',
    task: card.choice('task', ['classify', 'regress', 'reconstruct']),
    features: readFeatures(card),
    window: readWindow(card, json.window),
    labels: card.texts('labels'),
    positive: card.text('positive'),
    threshold: card.number('threshold'),
    direction: card.choice('direction', ['above', 'below']) ?? 'above',
    sample: json.sample,
    digest: card.text('digest')?.toLowerCase(),
    scoreOutput: outputs?.text('score'),
    activation: outputs?.choice('activation', ['none', 'sigmoid', 'softmax']),
    modes: modes && {
      output: modes.required('output'),
      labels: modes.texts('labels') ?? [],
      none: modes.text('none'),
    },
  };
}

function readFeatures(card: Section): CardFeature[] | undefined {
  const features = card.sections('features')?.map((feature) => {
    const scale = feature.number('scale') ?? 1;
    if (scale === 0) {
      throw feature.wrong('scale', 'must not be 0');
    }
    return {
      name: feature.required('name'),
      mean: feature.number('mean') ?? 0,
      scale,
      input: feature.text('input'),
    };
  });
  if (features && new Set(features.map(({ name }) => name)).size < features.length) {
    throw card.wrong('features', 'names a feature twice');
  }
  return features;
}

/** A number of readings, or `{size, layout}`; a window of one reading is none. */
function readWindow(card: Section, raw: unknown): WindowPlan | undefined {
  const section = isObject(raw) ? card.section('window') : undefined;
  const size = section ? section.number('size') : card.number('window');
  if (size === undefined) {
    if (section) {
      throw section.wrong('size', 'is missing');
    }
    return undefined;
  }
  if (!Number.isInteger(size) || size < 1 || size > MAX_WINDOW) {
    throw card.wrong('window', `must be a whole number of readings from 1 to ${MAX_WINDOW}`);
  }
  return size === 1 ? undefined : { size, layout: section?.choice('layout', ['NTF', 'NFT']) ?? 'NTF' };
}

/** Reads one object of a card; what is absent is undefined, what is wrong throws with its path. */
class Section {
  constructor(
    private readonly raw: Record<string, unknown>,
    private readonly file: string,
    private readonly path: string,
  ) {}

  text(name: string): string | undefined {
    const value = this.value(name);
    if (value === undefined || typeof value === 'string') {
      return value;
    }
    if (typeof value === 'number') {
      return String(value);
    }
    throw this.wrong(name, 'must be text');
  }

  required(name: string): string {
    const value = this.text(name);
    if (!value) {
      throw this.wrong(name, 'is missing');
    }
    return value;
  }

  number(name: string): number | undefined {
    const value = this.value(name);
    if (value === undefined || (typeof value === 'number' && Number.isFinite(value))) {
      return value;
    }
    throw this.wrong(name, 'must be a finite number');
  }

  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.value(name);
    const found = choices.find((choice) => choice === value);
    if (value !== undefined && found === undefined) {
      throw this.wrong(name, `must be one of ${choices.join(', ')}`);
    }
    return found;
  }

  texts(name: string): string[] | undefined {
    return this.list(name)?.map((entry) => {
      if (typeof entry !== 'string' && typeof entry !== 'number') {
        throw this.wrong(name, 'must be a list of texts');
      }
      return String(entry);
    });
  }

  section(name: string): Section | undefined {
    const value = this.value(name);
    if (value === undefined) {
      return undefined;
    }
    if (!isObject(value)) {
      throw this.wrong(name, 'must be an object');
    }
    return new Section(value, this.file, `${this.path}${name}.`);
  }

  sections(name: string): Section[] | undefined {
    return this.list(name)?.map((entry, index) => {
      if (!isObject(entry)) {
        throw this.wrong(name, 'must be a list of objects');
      }
      return new Section(entry, this.file, `${this.path}${name}[${index}].`);
    });
  }

  wrong(name: string, problem: string): EdgeError {
    const property = `${this.path}${name}`;
    return invalid(this.file, `is wrong: "${property}" ${problem}`, property);
  }

  private list(name: string): unknown[] | undefined {
    const value = this.value(name);
    if (value === undefined) {
      return undefined;
    }
    if (!Array.isArray(value) || value.length === 0) {
      throw this.wrong(name, 'must be a list that is not empty');
    }
    return value as unknown[];
  }

  private value(name: string): unknown {
    const value = Object.hasOwn(this.raw, name) ? this.raw[name] : undefined;
    return value === null ? undefined : value;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(file: string, problem: string, property?: string): EdgeError {
  return new EdgeError(
    'MODEL_INVALID',
    `The model card ${file} ${problem}. Correct the card beside the model.`,
    property === undefined ? undefined : { property },
  );
}
