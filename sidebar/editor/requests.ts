import { text } from './texts';

/**
 * Asks the runtime to do something.
 *
 * @param path under `edge/`
 * @throws what the runtime has against it, as a text
 */
export function post(path: string, body: object): Promise<void> {
  return ask(path, { method: 'POST', contentType: 'application/json', data: JSON.stringify(body) });
}

/** Asks the runtime for something; throws what it has against it, as a text. */
export function load<T>(path: string): Promise<T> {
  return ask(path, { method: 'GET', dataType: 'json' });
}

/** Loads a page of the runtime, as its text; by the editor's own rights, which a link would not carry. */
export function loadPage(path: string): Promise<string> {
  return ask(path, { method: 'GET', dataType: 'text' });
}

function ask<T>(path: string, settings: JQuery.AjaxSettings): Promise<T> {
  return new Promise((resolve, reject) => {
    $.ajax({
      ...{ url: `edge/${path}`, ...settings },
      success: (answer: T) => resolve(answer),
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
