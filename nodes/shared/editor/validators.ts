/** Checks of dialog fields. Each returns true, or a message that says how to fix the field. */

import { asEntered } from './form-values';

const COMMON = '@millwright/node-red-edge/edge-gateway:edge-gateway.common.invalid';

function isBlank(value: unknown): boolean {
  // The last is what a choice of config nodes holds while none is chosen.
  return value === undefined || value === null || value === '' || value === '_ADD_';
}

/** Environment variables are filled in by the runtime, which checks them again. */
function isVariable(value: unknown): boolean {
  return typeof value === 'string' && /^\$\{[^}]+\}$/.test(value);
}

/** Names a node's fields in its validation messages; the editor itself knows only property names. */
export function fieldLabels(type: string): (property: string) => string {
  return (property) => RED._(`@millwright/node-red-edge/${type}:${type}.label.${property}`);
}

/** A message from the shared locale keys under `edge-gateway.common.invalid`. */
export function complaint(key: string, parameters: Record<string, unknown> = {}): string {
  return RED._(`${COMMON}.${key}`, parameters);
}

export interface NumberRules {
  min?: number;
  max?: number;
  integer?: boolean;
  /** An empty field is valid. */
  optional?: boolean;
}

export function numberField(rules: NumberRules = {}): Validator {
  return function (value, options) {
    const label = options.label ?? '';
    if (isVariable(value) || (rules.optional && isBlank(value))) {
      return true;
    }
    const number = Number(value);
    if (isBlank(value) || !Number.isFinite(number)) {
      return complaint('number', { label });
    }
    if (rules.integer && !Number.isInteger(number)) {
      return complaint('integer', { label });
    }
    if (rules.min !== undefined && number < rules.min) {
      return complaint('min', { label, min: rules.min });
    }
    if (rules.max !== undefined && number > rules.max) {
      return complaint('max', { label, max: rules.max });
    }
    return true;
  };
}

/**
 * Applies a check only while other properties make it matter, so that hidden fields complain about nothing.
 *
 * @param applies looks at the node as its dialog shows it
 * @param check may declare any number of parameters; the editor takes a message only from one that declares two
 */
export function when(applies: (node: EditorNode) => boolean, check: Validator): Validator {
  return function (value, options) {
    return applies(asEntered(this)) ? check.call(this, value, options) : true;
  };
}

/** A field that must be filled in, optionally only while another property makes it apply. */
export function requiredField(applies: (node: EditorNode) => boolean = () => true): Validator {
  return when(applies, (value, options) =>
    isBlank(value) ? complaint('required', { label: options.label ?? '' }) : true,
  );
}

/** A field that must match, such as an address; empty passes when `optional`. */
export function patternField(pattern: RegExp, key: string, optional = false): Validator {
  return function (value, options) {
    if (isVariable(value) || (optional && isBlank(value))) {
      return true;
    }
    return typeof value === 'string' && pattern.test(value.trim())
      ? true
      : complaint(key, { label: options.label ?? '' });
  };
}
