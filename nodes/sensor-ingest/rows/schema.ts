import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020';
import { invalidProperty } from '../../shared/config-reader';
import { EdgeError } from '../../shared/errors';
import { typeName } from './paths';
import { excerpt } from '../../shared/text';
import { boundedPattern } from './pattern';

/** Most items of a list that `uniqueItems` may compare, each with each. */
const MAX_UNIQUE_ITEMS = 1000;

/** A JSON Schema, compiled once. */
export class PayloadSchema {
  /** Not a property, so that a configuration is the same whatever its schema. */
  readonly #text: string;
  private readonly validate: ValidateFunction;

  /**
   * @param text a JSON Schema of draft 2020-12 (also when it names none) or draft-07; nothing is fetched
   * @throws EdgeError `CONFIG`
   */
  constructor(text: string) {
    this.#text = text;
    let schema: unknown;
    try {
      schema = JSON.parse(text);
    } catch (error) {
      throw invalid(`is not valid JSON: ${messageOf(error)}`);
    }
    if (
      typeof schema !== 'boolean' &&
      (typeof schema !== 'object' || schema === null || Array.isArray(schema))
    ) {
      throw invalid('must be a JSON object');
    }
    checkUniqueItems(schema);
    try {
      this.validate = compilerFor(schema).compile(schema);
    } catch (error) {
      throw error instanceof EdgeError ? error : invalid(`cannot be used: ${messageOf(error)}`);
    }
    if ('$async' in this.validate) {
      throw invalid('must not be asynchronous ("$async")');
    }
  }

  /** What it was compiled from. */
  get text(): string {
    return this.#text;
  }

  /** @throws EdgeError `SCHEMA` saying where in the payload and what is wrong */
  check(payload: unknown): void {
    let valid: boolean;
    try {
      valid = this.validate(payload);
    } catch {
      // A schema that refers to itself recurses as deep as the payload is nested.
      throw new EdgeError(
        'TOO_LARGE',
        'The payload is nested too deep to be checked. Send a flatter object.',
      );
    }
    if (!valid) {
      const [error] = this.validate.errors ?? [];
      throw new EdgeError(
        'SCHEMA',
        `The payload does not meet the schema: ${describe(error, payload)}. Correct the sender, or the property "schema".`,
        { path: error.instancePath, keyword: error.keyword },
      );
    }
  }
}

function compilerFor(schema: boolean | object): Ajv | Ajv2020 {
  const options = {
    strict: false,
    validateFormats: false,
    ownProperties: true,
    logger: false,
    addUsedSchema: false,
    code: { regExp: boundedPattern },
  } as const;
  const draft = typeof schema === 'object' && '$schema' in schema ? schema.$schema : undefined;
  if (draft === undefined || (typeof draft === 'string' && draft.includes('2020-12'))) {
    return new Ajv2020(options);
  }
  if (typeof draft === 'string' && draft.includes('draft-07')) {
    return new Ajv(options);
  }
  throw invalid('names a "$schema" other than draft 2020-12 and draft-07');
}

/** Comparing each item with each is quadratic, so a list that strangers fill needs a limit. */
function checkUniqueItems(schema: unknown): void {
  if (typeof schema !== 'object' || schema === null) {
    return;
  }
  if ('uniqueItems' in schema && schema.uniqueItems === true) {
    const limit = 'maxItems' in schema ? schema.maxItems : undefined;
    if (typeof limit !== 'number' || limit > MAX_UNIQUE_ITEMS) {
      throw invalid(`uses "uniqueItems" and must then also say "maxItems", at most ${MAX_UNIQUE_ITEMS}`);
    }
  }
  Object.values(schema).forEach(checkUniqueItems);
}

function describe(error: ErrorObject, payload: unknown): string {
  const where = error.instancePath === '' ? 'it' : `"${excerpt(error.instancePath.slice(1), 80)}"`;
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'required':
      return `${where} lacks "${String(params.missingProperty)}"`;
    case 'type':
      return `${where} must be of type ${String(params.type)}, but is ${typeName(valueAt(payload, error.instancePath))}`;
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return `${where} has "${excerpt(String(params.additionalProperty ?? params.unevaluatedProperty))}", which is not allowed`;
    case 'enum':
      return `${where} must be one of ${excerpt(JSON.stringify(params.allowedValues), 120)}`;
    case 'const':
      return `${where} must be ${excerpt(JSON.stringify(params.allowedValue), 80)}`;
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return `${where} ${error.message ?? 'is out of bounds'}, but is ${String(valueAt(payload, error.instancePath))}`;
    default:
      return `${where} ${error.message ?? `fails "${error.keyword}"`}`;
  }
}

function valueAt(payload: unknown, pointer: string): unknown {
  let at = payload;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    at = typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined;
  }
  return at;
}

function messageOf(error: unknown): string {
  return excerpt(error instanceof Error ? error.message : String(error), 200);
}

function invalid(problem: string): EdgeError {
  return invalidProperty('schema', problem);
}
