import { EdgeError } from '../errors';

/** What every dialog sends. */
export interface DialogBody {
  /** The node whose dialog it is; it need not run. */
  node: string;
  /** The node's properties as the dialog shows them. */
  properties: Record<string, unknown>;
  [field: string]: unknown;
}

/** @throws EdgeError `REQUEST` */
export function parseDialogBody(body: unknown): DialogBody {
  if (!isRecord(body) || !isRecord(body.properties)) {
    throw unreadable('it has no properties');
  }
  const { node, properties } = body;
  return { ...body, node: textOf(node) ?? '', properties };
}

/** An error for a request that no dialog of this version makes. */
export function unreadable(reason: string): EdgeError {
  return new EdgeError(
    'REQUEST',
    `The request cannot be read: ${reason}. Reload the editor, which may be older than the gateway.`,
  );
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
