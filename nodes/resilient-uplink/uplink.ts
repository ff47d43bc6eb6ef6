import { EdgeError, toEdgeError } from '../shared/errors';
import type { Figures } from '../shared/figures';
import type { LeftBehind } from '../shared/left-behind';
import type { EdgeMessage } from '../shared/messages';
import type { StatusReporter } from '../shared/status';
import { adoptedConfig, Adoptions, type Adopter, type AdoptionRequest } from './adoptions';
import type { UplinkConfig } from './config';
import type { DeliveryNote } from './delivery';
import { shortageText } from './disk-reserve';
import { envelopeOf, rebuild, type EnvelopeConfig } from './envelope';
import { ledgerMessage } from './ledger-publisher';
import { leftBehindText } from './left-behind/store-folder';
import type { Link } from './link';
import { adoptionOf, ledgerRequestOf, selectionOf, type Operation } from './operations';
import type { DeadLetterPage, DeadLetterRequest, NewMessage, StoredMessage, Usage } from './outbox-port';
import { Session, type SessionEvents, type SessionTools } from './session';
import { SharedLink } from './shared-link';
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
  /** Without it nothing can be adopted. */
  adopter?: Adopter;
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
  private readonly links: readonly SharedLink[];
  private readonly adoptions: Adoptions | undefined;

  constructor(
    private config: UplinkConfig,
    private readonly tools: UplinkTools,
  ) {
    const { figures } = tools;
    this.links = tools.links.map((link) => new SharedLink(link));
    this.adoptions = tools.adopter && this.adoptionsOf(tools.adopter);
    figures.gauge('edge_uplink_queue_messages', () => this.total(({ messages }) => messages));
    figures.gauge('edge_uplink_queue_bytes', () => this.total(({ bytes }) => bytes));
    figures.gauge('edge_uplink_oldest_seconds', () => oldestSeconds(this.session));
    this.opening = this.open();
    this.opening.catch(() => undefined);
    this.adoptions?.start();
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
    if (operation === 'adopt') {
      return this.adopt(adoptionOf(payload));
    }
    const session = this.session ?? (await this.opening);
    const { delivery, outbox } = session;
    switch (operation) {
      case 'pause':
        delivery.pause();
        this.adoptions?.pause(true);
        break;
      case 'resume':
        delivery.resume();
        this.adoptions?.pause(false);
        break;
      case 'flush':
        this.sessions().forEach((each) => each.delivery.flush());
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

  /**
   * Delivers from a store that another node left, until it is empty, beside the own one.
   *
   * @throws EdgeError `NOT_FOUND`, `OPERATION` or `STORE`, by rejection
   */
  async adopt(request: AdoptionRequest): Promise<{ adopted: LeftBehind }> {
    if (!this.adoptions || this.closing) {
      throw new EdgeError('STORE', 'The node is closing. Ask again when it runs.');
    }
    return { adopted: await this.adoptions.adopt(request) };
  }

  statistics(): Statistics {
    return statisticsOf(this.session, this.tools.figures, this.adoptions?.sessions());
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
      this.links.forEach((link) => link.refresh());
    }
  }

  /** Stores what was accepted, ends the connections and closes the file, which stays where it is. */
  async close(removed: boolean): Promise<void> {
    this.closing = true;
    const [session] = await Promise.all([
      this.session ?? this.opening.catch(() => undefined),
      this.adoptions?.close(),
    ]);
    if (!session) {
      return;
    }
    await session.close();
    const { usage, uuid } = session.outbox;
    if (removed && usage.messages > 0) {
      this.tools.log.warn(leftBehindText(usage.messages, this.tools.path, uuid));
    }
  }

  private adoptionsOf(adopter: Adopter): Adoptions {
    const { clock, log, envelope } = this.tools;
    return new Adoptions({
      adopter,
      clock,
      log,
      open: (path, broken) => {
        const links = this.links.map((link) => link.guest());
        return this.openSession(adoptedConfig(this.config), path, links, broken);
      },
      publish: async (report) => {
        const { outbox } = this.session ?? (await this.opening);
        return outbox.append(ledgerMessage(report, envelope));
      },
      damaged: (file) =>
        this.reportDamage({ file }, `An adopted outbox was damaged and was set aside as ${file}.`),
      reportOnce: (about, text) => this.reportOnce(about, text),
    });
  }

  private sessions(): Session[] {
    return [...(this.session ? [this.session] : []), ...(this.adoptions?.sessions() ?? [])];
  }

  private total(figure: (usage: Usage) => number): number {
    return this.sessions().reduce((sum, { outbox }) => sum + figure(outbox.usage), 0);
  }

  private async openSession(
    config: UplinkConfig,
    path: string,
    links: readonly Link[],
    broken: (error: EdgeError) => void,
  ): Promise<{ session: Session; setAside?: string }> {
    const { clock, random, envelope } = this.tools;
    const opened = await Session.open(
      config,
      { path, links, clock, random, ledgerMessage: (report) => ledgerMessage(report, envelope) },
      this.events(() => opened.session.outbox.uuid, broken),
    );
    return opened;
  }

  private async open(): Promise<Session> {
    for (let attempt = 1; ; attempt++) {
      try {
        const { session, setAside } = await this.openSession(
          this.config,
          this.tools.path,
          this.links,
          (error) => this.restart(error),
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

  /** @param store identity of the outbox that they are about */
  private events(store: () => string, broken: (error: EdgeError) => void): SessionEvents {
    const { figures } = this.tools;
    const undeliverable = (message: StoredMessage, code: string, text: string): void =>
      this.undeliverable(message, store(), code, text);
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
        undeliverable(message, 'REJECTED', `It was refused for good: ${reason}.`),
      expired: (message) =>
        undeliverable(
          message,
          'EXPIRED',
          'It was not delivered within its time to live ("ttl", "limitAge").',
        ),
      evicted: (message) =>
        undeliverable(message, 'EVICTED', 'The outbox was full ("limitMB") and it had to make room.'),
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
      shortage: (shortage) => {
        if (shortage) {
          this.reportOnce('disk', shortageText(shortage, this.tools.path));
        } else if (this.reported.delete('disk')) {
          this.tools.log.info('The disk of the outbox has room again.');
        }
        this.showStatus();
      },
      storeFailed: (error) => {
        if (!this.closing) {
          this.reportOnce('store', error.message);
        }
      },
      broken,
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

  private undeliverable(message: StoredMessage, store: string, code: string, text: string): void {
    this.tools.figures.addLabelled('edge_uplink_dropped_total', 'code', code);
    this.tools.undeliverable(
      originOf(message),
      new EdgeError(code, text, { id: `${store}:${message.sequence}` }),
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
