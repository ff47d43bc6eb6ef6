import type { HttpDestination, HttpReply } from '../shared/connections';
import { isOther, SETTINGS_CHANGED, type Answer, type Link, type LinkObserver, type Outgoing } from './link';

const WINDOW = 8;
/** Refusals that lie in the credential or in the moment, not in the message. */
const TRANSIENT = new Set([401, 403, 408, 425, 429]);

/** What a status means for the message. Redirects are not followed, and may end. */
export function answerOfStatus({ status, retryAfterMs }: HttpReply): Answer {
  if (status >= 200 && status < 300) {
    return { outcome: 'acknowledged' };
  }
  const reason = `the server answered ${status}`;
  if (status >= 400 && status < 500 && !TRANSIENT.has(status)) {
    return { outcome: 'rejected', reason };
  }
  return retryAfterMs === undefined
    ? { outcome: 'retry', reason }
    : { outcome: 'retry', reason, retryAfterMs };
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
      queueMicrotask(() => observer.lost(reason));
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
          session.observer.lost(thrown instanceof Error ? thrown.message : String(thrown));
        }
      },
    );
  }

  refresh(): void {
    const { session } = this;
    if (session && isOther(this.lookUp, this.destination)) {
      this.close();
      session.observer.lost(SETTINGS_CHANGED);
    }
  }

  close(): void {
    const { session } = this;
    this.session = undefined;
    session?.abort.abort();
  }
}
