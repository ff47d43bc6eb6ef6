import { EdgeError, toEdgeError } from '../shared/errors';
import type { Figures } from '../shared/figures';
import type { EdgeMessage } from '../shared/messages';
import type { StatusReporter } from '../shared/status';
import type { UplinkConfig } from './config';
import type { DeliveryNote } from './delivery';
import { envelopeOf, rebuild, type EnvelopeConfig } from './envelope';
import { ledgerMessage } from './ledger-publisher';
import { ledgerRequestOf, selectionOf, type Operation } from './operations';
import type { DeadLetterPage, DeadLetterRequest, NewMessage, StoredMessage } from './outbox-port';
import { Session, type SessionEvents, type SessionTools } from './session';
import { oldestSeconds, statisticsOf, type Statistics } from './statistics';
import { statusOf } from './uplink-status';

export interface UplinkTools extends Omit<SessionTools, 'ledgerMessage'> {
  envelope: EnvelopeConfig;
  figures: Figures;
  status: StatusReporter;
  log: { info(text: string): void; warn(text: string): void };
  /** Output 1. */
  delivered(msg: EdgeMessage): void;
  /** Output 2. */
  undeliverable(msg: EdgeMessage, error: EdgeError): void;
}

const OPEN_TRIES = 10;
const OPEN_RETRY_MS = 300;
const REOPEN_MS = 2000;

/**
 * The uplink without Node-RED: takes messages, keeps an outbox open whatever happens to it, and reports what became
 * of each message.
 */
export class Uplink {
  private session: Session | undefined;
  private opening: Promise<Session>;
  private closing = false;
  private storeError: EdgeError | undefined;
  private damaged = false;
  private readonly reported = new Set<string>();

  constructor(
    private config: UplinkConfig,
    private readonly tools: UplinkTools,
  ) {
    const { figures } = tools;
    figures.gauge('edge_uplink_queue_messages', () => this.session?.outbox.usage.messages ?? 0);
    figures.gauge('edge_uplink_queue_bytes', () => this.session?.outbox.usage.bytes ?? 0);
    figures.gauge('edge_uplink_oldest_seconds', () => oldestSeconds(this.session));
    this.opening = this.open();
    this.opening.catch(() => undefined);
  }

  /**
   * Stores one message; resolves once it is synced to disk.
   *
   * @throws EdgeError `TOPIC`, `TOO_LARGE`, `UNSERIALISABLE`, `OUTBOX_FULL` or `STORE`; it is then not stored
   */
  async accept(msg: EdgeMessage): Promise<void> {
    const message = this.envelope(msg);
    const session = this.session ?? (await this.opening);
    await session.outbox.append(message);
    this.tools.figures.add('edge_bytes_in_total', message.body.byteLength);
  }

  private envelope(msg: EdgeMessage): NewMessage {
    try {
      return envelopeOf(msg, this.tools.envelope);
    } catch (thrown) {
      if (thrown instanceof EdgeError) {
        throw thrown;
      }
      throw new EdgeError(
        'UNSERIALISABLE',
        `The message cannot be read for storing: ${toEdgeError(thrown).message.split('\n')[0]}. Send plain values, or correct "drop" and "hash".`,
      );
    }
  }

  /**
   * Runs an operation of `msg.operation`; those that ask for something give what to reply.
   *
   * @throws EdgeError `OPERATION` for a payload that an operation cannot use; `STORE`
   */
  async operate(operation: Operation, payload?: unknown): Promise<object | undefined> {
    const session = this.session ?? (await this.opening);
    const { delivery, outbox } = session;
    switch (operation) {
      case 'pause':
        delivery.pause();
        break;
      case 'resume':
        delivery.resume();
        break;
      case 'flush':
        delivery.flush();
        break;
      case 'stats':
        await delivery.settled();
        return this.statistics();
      case 'ledger': {
        const request = ledgerRequestOf(payload);
        await delivery.settled();
        return outbox.ledger(request);
      }
      case 'requeue': {
        const requeued = await session.requeue(selectionOf(payload, outbox.uuid));
        this.showStatus();
        return { requeued, left: outbox.usage.deadLetters.messages };
      }
    }
    this.showStatus();
    return undefined;
  }

  /** A page of the messages that were refused for good; rejects with `STORE`. */
  async deadLetters(
    request: DeadLetterRequest,
  ): Promise<DeadLetterPage & { store: string; messages: number; bytes: number }> {
    const { delivery, outbox } = this.session ?? (await this.opening);
    await delivery.settled();
    const page = await outbox.deadLetters(request);
    return { ...page, ...outbox.usage.deadLetters, store: outbox.uuid };
  }

  statistics(): Statistics {
    return statisticsOf(this.session, this.tools.figures);
  }

  /** Goes on with another configuration, for the same outbox and connections; what was accepted stays accepted. */
  async adjust(config: UplinkConfig): Promise<void> {
    const session = this.session ?? (await this.opening);
    this.config = config;
    this.session = undefined;
    this.opening = session.close().then(() => this.open());
    await this.opening;
  }

  /** Call after a deployment: config nodes may have been replaced. */
  refresh(): void {
    if (!this.closing) {
      this.tools.links.forEach((link) => link.refresh());
    }
  }

  /** Stores what was accepted, ends the connections and closes the file, which stays where it is. */
  async close(removed: boolean): Promise<void> {
    this.closing = true;
    const session = this.session ?? (await this.opening.catch(() => undefined));
    if (!session) {
      return;
    }
    await session.close();
    const { messages } = session.outbox.usage;
    if (removed && messages > 0) {
      this.tools.log.warn(
        `${messages} messages that were accepted and not delivered stay in ${this.tools.path}.`,
      );
    }
  }

  private async open(): Promise<Session> {
    for (let attempt = 1; ; attempt++) {
      try {
        const { session, setAside } = await Session.open(
          this.config,
          { ...this.tools, ledgerMessage: (report) => ledgerMessage(report, this.tools.envelope) },
          this.events(),
        );
        this.session = session;
        this.storeError = undefined;
        if (setAside !== undefined) {
          this.reportDamage({ file: setAside }, `The outbox was damaged and was set aside as ${setAside}.`);
        }
        this.showStatus();
        return session;
      } catch (thrown) {
        this.storeError = toEdgeError(thrown, 'STORE');
        this.showStatus();
        if (this.closing || attempt >= OPEN_TRIES) {
          this.reopenLater();
          throw this.storeError;
        }
        await this.pause(OPEN_RETRY_MS);
      }
    }
  }

  private reopenLater(): void {
    this.reportOnce('store', `${this.storeError?.message ?? ''} It is tried again.`);
    if (!this.closing) {
      this.tools.clock.after(REOPEN_MS, () => {
        if (!this.closing) {
          this.reopen();
        }
      });
    }
  }

  private reopen(): void {
    this.opening = this.open();
    // Whoever waits for it is told; nobody has to.
    this.opening.catch(() => undefined);
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.tools.clock.after(ms, resolve);
    });
  }

  private events(): SessionEvents {
    const { figures } = this.tools;
    return {
      stored: (messages) => {
        figures.add('edge_uplink_stored_total', messages.length);
        const carrier = this.session?.delivery.pool.current;
        if (!carrier || carrier.failures > 0) {
          figures.add('edge_uplink_data_cached_offline_total', messages.length);
        }
        this.showStatus();
      },
      delivered: (message, note) => this.delivered(message, note),
      rejected: (message, reason) =>
        this.undeliverable(message, 'REJECTED', `It was refused for good: ${reason}.`),
      expired: (message) =>
        this.undeliverable(
          message,
          'EXPIRED',
          'It was not delivered within its time to live ("ttl", "limitAge").',
        ),
      evicted: (message) =>
        this.undeliverable(message, 'EVICTED', 'The outbox was full ("limitMB") and it had to make room.'),
      corrupt: (sequences) => {
        figures.addLabelled('edge_uplink_dropped_total', 'code', 'CORRUPT', sequences.length);
        this.reportDamage(
          { count: sequences.length, sequences: sequences.slice(0, 1000) },
          `${sequences.length} stored messages were damaged by the medium.`,
        );
      },
      connectionFailed: (name, reason) => {
        this.reportOnce(name, `Connection "${name}": ${reason}. It is tried again.`);
      },
      changed: () => this.showStatus(),
      storeFailed: (error) => {
        if (!this.closing) {
          this.reportOnce('store', error.message);
        }
      },
      broken: (error) => this.restart(error),
    };
  }

  private restart(error: EdgeError): void {
    const broken = this.session;
    this.session = undefined;
    this.storeError = error;
    const file = error.details?.file;
    if (error.code === 'CORRUPT') {
      this.reportDamage({ file }, error.message);
    }
    this.opening = (broken?.close(0) ?? Promise.resolve()).then(() => this.open());
    this.opening.catch(() => undefined);
  }

  private delivered(message: StoredMessage, note: DeliveryNote): void {
    const { figures } = this.tools;
    this.reported.delete(note.connection);
    figures.addLabelled('edge_uplink_delivered_total', 'connection', note.connection);
    figures.add('edge_bytes_out_total', message.body.byteLength);
    if (note.fallback) {
      figures.add('edge_uplink_fallback_used_total');
    }
    this.tools.delivered(Object.assign(originOf(message), { uplink: note }));
  }

  private undeliverable(message: StoredMessage, code: string, text: string): void {
    this.tools.figures.addLabelled('edge_uplink_dropped_total', 'code', code);
    this.tools.undeliverable(
      originOf(message),
      new EdgeError(code, text, { id: `${this.session?.outbox.uuid ?? ''}:${message.sequence}` }),
    );
  }

  private reportDamage(details: Record<string, unknown>, text: string): void {
    this.damaged = true;
    this.tools.log.warn(text);
    this.tools.undeliverable({ _msgid: '', payload: details }, new EdgeError('CORRUPT', text, details));
    this.showStatus();
  }

  private reportOnce(about: string, text: string): void {
    if (!this.reported.has(about)) {
      this.reported.add(about);
      this.tools.log.warn(text);
    }
  }

  private showStatus(): void {
    const { meaning, key, params } = statusOf(this.session, this.storeError !== undefined, this.damaged);
    this.tools.status.set(meaning, key, params);
  }
}

function originOf(message: StoredMessage): EdgeMessage {
  return message.origin ? (message.origin as EdgeMessage) : rebuild(message);
}
