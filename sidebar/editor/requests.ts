import { text } from './texts';

/**
 * Asks the runtime to do something.
 *
 * @param path under `edge/`
 * @throws what the runtime has against it, as a text
 */
export function post(path: string, body: object): Promise<void> {
  return new Promise((resolve, reject) => {
    $.ajax({
      ...{ url: `edge/${path}`, method: 'POST' },
      ...{ contentType: 'application/json', data: JSON.stringify(body) },
      success: () => resolve(),
      error: (xhr) => reject(failure(xhr)),
    });
  });
}

/** Asks the runtime for something; throws what it has against it, as a text. */
export function load<T>(path: string): Promise<T> {
  return new Promise((resolve, reject) => {
    $.ajax({
      ...{ url: `edge/${path}`, method: 'GET', dataType: 'json' },
      success: (answer: T) => resolve(answer),
      error: (xhr) => reject(failure(xhr)),
    });
  });
}

/** Loads a page of the runtime, as its text; by the editor's own rights, which a link would not carry. */
export function loadPage(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    $.ajax({
      ...{ url: `edge/${path}`, method: 'GET', dataType: 'text' },
      success: (page: string) => resolve(page),
      error: (xhr) => reject(failure(xhr)),
    });
  });
}

function failure(xhr: JQuery.jqXHR): Error {
  const answer = xhr.responseJSON as { message?: string } | undefined;
  return new Error(answer?.message ?? text('failure', { status: xhr.status }));
}

/** Shows why something did not work. */
export function complain(thrown: unknown): void {
  RED.notify(thrown instanceof Error ? thrown.message : String(thrown), { type: 'error' });
}
