import { failureOf } from './failure';

/** The part of a response that an endpoint needs. */
export interface Answerable {
  status(code: number): { json(body: unknown): unknown };
  json(body: unknown): unknown;
}

const HTTP_STATUS: Partial<Record<string, number>> = {
  REQUEST: 400,
  CONFIG: 400,
  OPERATION: 400,
  PAYLOAD: 400,
  SOURCE_LIMIT: 400,
  NOT_FOUND: 404,
  MODEL_NOT_FOUND: 404,
  TOO_LARGE: 413,
  WORKER: 500,
  INTERNAL: 500,
  BUSY: 503,
  TIMEOUT: 504,
};

/** Answers a dialog's request with what the work gives, at once or later, or with the reason why it fails. */
export function answerWith(response: Answerable, work: () => unknown): void {
  new Promise((resolve) => resolve(work())).then(
    (result) => response.json(result),
    (thrown: unknown) => {
      const failure = failureOf(thrown);
      response.status(HTTP_STATUS[failure.code] ?? 500).json(failure);
    },
  );
}
