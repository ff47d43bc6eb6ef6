/** What the dialog and the runtime tell each other about a model; both sides import it, so it imports types only. */
import type { Failure } from '../../shared/dialog/failure';
import type { Detection } from '../../shared/messages';

/** A model that can be chosen. */
export interface ListedModel {
  /** As it is entered: `builtin:cnc-failure`, `models/press.onnx`. */
  model: string;
  bytes: number;
  /** From the model card, where there is a readable one. */
  name?: string;
  version?: string;
  task?: string;
}

/** The first of many. */
export interface Part<T> {
  shown: T[];
  /** How many there are altogether. */
  count: number;
}

/** An input or output as the model declares it. */
export interface ShownTensor {
  name: string;
  /** Empty for what is no tensor. */
  type: string;
  /** A symbolic dimension is its name, which may be empty. */
  shape: (number | string)[];
}

/** What the file says of itself. */
export interface ShownFile {
  producer: string;
  opsets: Part<[domain: string, version: number]>;
  metadata: Part<[key: string, value: string]>;
}

/** One entry of a model card: a text, a list of texts, or more entries. */
export interface CardEntry {
  key: string;
  text?: string;
  items?: Part<string>;
  entries?: CardEntry[];
}

/** One place of the model's input. */
export interface ShownFeature {
  /** Channel; undefined where the place can only be given by position. */
  name?: string;
  /** The input that it goes to, and its element type. */
  input: string;
  type: string;
  /** The model gets `(value - mean) / scale`. */
  mean: number;
  scale: number;
  unit?: string;
  min?: number;
  max?: number;
}

/**
 * Who names the channels: the property `features`, the model card, the file's own metadata, inputs of one number each;
 * or nobody, and values go by position.
 */
export type NamedBy = 'property' | 'card' | 'file' | 'inputs' | 'position';

/** How readings become the model's inputs. */
export interface ShownFeed {
  namedBy: NamedBy;
  features: Part<ShownFeature>;
  /** Readings in a window, and how it is laid out. */
  window?: { size: number; layout: 'NTF' | 'NFT' };
  /** Rows that the model insists on. */
  fixedRows?: number;
}

/** How the model's outputs become a score. */
export interface ShownScoring {
  task: 'classify' | 'regress' | 'reconstruct';
  output: string;
  /** On the score's scale. */
  threshold: number;
  thresholdFrom: 'property' | 'card' | 'default';
  /** Low values are bad: score and threshold are negated. */
  negated: boolean;
  /** What makes probabilities of a classifier's outputs. */
  activation?: 'none' | 'sigmoid' | 'softmax';
  classes?: Part<{ label: string; failing: boolean }>;
}

/** Channels as the model itself, or its card, names them: all of them, in the order of the training data. */
export interface KnownFeatures {
  namedBy: Exclude<NamedBy, 'property' | 'position'>;
  names: string[];
}

/** What a model is and how the node would use it; the later parts are missing where it did not come to them. */
export interface ModelDescription {
  name: string;
  version: string;
  digest: string;
  bytes: number;
  /** Execution provider that loaded it. */
  provider?: string;
  file?: ShownFile;
  inputs?: Part<ShownTensor>;
  outputs?: Part<ShownTensor>;
  card?: CardEntry[];
  feed?: ShownFeed;
  scoring?: ShownScoring;
  /** Values that the model takes of a reading. */
  width?: number;
  known?: KnownFeatures;
  /** JSON of a reading to try it on: the card's, or zeros. */
  sample?: string;
  /** Parts were left out, as all together were too large. */
  shortened?: boolean;
}

/** Answer of the endpoint `inspect`: what could be found out, and why the node would refuse the model. */
export interface Inspection {
  model?: ModelDescription;
  failure?: Failure;
}

/** Answer of the endpoint `try`. */
export interface TrialAnswer {
  /** As the node would send it, but for what is too long. */
  detection?: Detection;
  /** How much of it is too long. */
  leftOut?: { probabilities: number; contributions: number; values: number };
  /** Readings of the window, and how many the sample has. */
  window?: { size: number; given: number };
  /** JSON of the reading that was taken because none was given. */
  sample?: string;
  failure?: Failure;
}
