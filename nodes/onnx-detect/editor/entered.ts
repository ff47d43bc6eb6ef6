import { fieldValue, linesToList } from '../../shared/editor/forms';
import { enteredProperties } from '../../shared/editor/form-values';

/** The execution providers as entered. */
export function enteredProviders(): string[] {
  return fieldValue('providers-line')
    .split(',')
    .map((provider) => provider.trim())
    .filter((provider) => provider !== '');
}

/** All properties as the dialog shows them, saved or not. */
export function entered(node: EditorNode): Record<string, unknown> {
  return enteredProperties(node, { features: linesToList('features'), providers: enteredProviders() });
}

/** Properties that say what a model is and how it is served. */
const OF_MODEL = [
  ...['model', 'digest', 'features', 'task', 'output', 'positive', 'threshold', 'providers'],
] as const;

/** What of the dialog an inspection depends on, as a text to compare. */
export function enteredModel(node: EditorNode): string {
  const properties = entered(node);
  return JSON.stringify(OF_MODEL.map((name) => properties[name]));
}
