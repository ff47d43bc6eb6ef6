import type { HttpDestination, HttpReply } from '../shared/connections';
import { EdgeError } from '../shared/errors';
import type { Trouble } from '../shared/trouble';
import {
  isOther,
  SETTINGS_CHANGED,
  type Answer,
  type Link,
  type LinkObserver,
  type Loss,
  type Outgoing,
} from './link';

const WINDOW = 8;
/** However long a server asks to be left alone: it may be wrong, and nobody would notice for days. */
const LONGEST_PAUSE_MS = 3_600_000;
/** Refusals that lie in the credential or in the moment, not in the message. */
const TRANSIENT = new Set([401, 403, 408, 425, 429]);

/** What a status means for the message. Redirects are not followed, and may end. */
export function answerOfStatus({ status, certificateRefused, retryAfterMs }: HttpReply): Answer {
  if (status >= 200 && status < 300) {
    return { outcome: 'acknowledged' };
  }
  const reason = `the server answered ${status}`;
  if (certificateRefused) {
    const advice = 'it does not take the client certificate; correct the one in the TLS configuration';
    return { outcome: 'retry', reason: `${reason}: ${advice}`, fault: 'credential' };
  }
  if (status >= 400 && status < 500 && !TRANSIENT.has(status)) {
    return { outcome: 'rejected', reason };
  }
  return {
    outcome: 'retry',
    ...refusalOf(status, reason),
    ...(retryAfterMs !== undefined && { retryAfterMs: Math.min(retryAfterMs, LONGEST_PAUSE_MS) }),
  };
}

function refusalOf(status: number, reason: string): Trouble {
  if (status === 401) {
    const advice = 'correct the token, or user name and password, of the edge-http';
    return { reason: `${reason}: ${advice}`, fault: 'credential' };
  }
  if (status === 403) {
    const advice = 'allow this client to send there, or correct the credential of the edge-http';
    return { reason: `${reason}: ${advice}`, fault: 'permission' };
  }
  return { reason };
}

/** Requests to one HTTP destination, several at once for different topics. */
export class HttpLink implements Link {
  readonly ordered = false;
  readonly window = WINDOW;
  private session: { abort: AbortController; observer: LinkObserver } | undefined;
  private destination: HttpDestination;

  /** @param lookUp the destination as it is set up now; throws when there is none any more. */
  constructor(private readonly lookUp: () => HttpDestination) {
    this.destination = lookUp();
  }

  get id(): string {
    return this.destination.id;
  }

  get name(): string {
    return this.destination.name;
  }

  open(observer: LinkObserver): void {
    this.close();
    try {
      this.destination = this.lookUp();
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      queueMicrotask(() => observer.lost({ reason }));
      return;
    }
    const session = { abort: new AbortController(), observer };
    this.session = session;
    // There is nothing to connect: the first request will tell.
    queueMicrotask(() => {
      if (this.session === session) {
        observer.opened();
      }
    });
  }

  send(outgoing: Outgoing, answer: (answer: Answer) => void): void {
    const { session } = this;
    const { id, topic, body, contentType, encoding, batch, storedMs, replay } = outgoing;
    const headers = {
      'content-type': contentType,
      'idempotency-key': id,
      'edge-topic': encodeURI(topic),
      'edge-stored': String(storedMs),
      ...(replay && { 'edge-replay': '1' }),
      ...(encoding && { 'content-encoding': encoding }),
      ...(batch !== undefined && { 'edge-batch': String(batch) }),
    };
    this.destination.send(body, headers, session?.abort.signal).then(
      (reply) => {
        if (this.session === session) {
          answer(answerOfStatus(reply));
        }
      },
      (thrown: unknown) => {
        if (this.session === session && session) {
          this.close();
          const details = thrown instanceof EdgeError ? thrown.details : undefined;
          session.observer.lost({
            ...(details as Partial<Loss>),
            reason: thrown instanceof Error ? thrown.message : String(thrown),
          });
        }
      },
    );
  }

  refresh(): void {
    const { session } = this;
    if (session && isOther(this.lookUp, this.destination)) {
      this.close();
      session.observer.lost({ reason: SETTINGS_CHANGED });
    }
  }

  close(): void {
    const { session } = this;
    this.session = undefined;
    session?.abort.abort();
  }
}
