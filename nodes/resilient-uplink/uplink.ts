import { EdgeError, toEdgeError } from '../shared/errors';
import type { LeftBehind } from '../shared/left-behind';
import type { EdgeMessage } from '../shared/messages';
import type { StatusReporter } from '../shared/status';
import { Activity } from './activity';
import { adoptedConfig, Adoptions, type Adopter, type AdoptionRequest } from './adoptions';
import type { UplinkConfig } from './config';
import type { ConnectionReport } from './connection-report';
import { envelopeOf, type EnvelopeConfig } from './envelope';
import { FateReporter, type FateReporterTools, type ReportedStore } from './fate-reporter';
import type { Forecast } from './forecast';
import { ledgerMessage } from './ledger-publisher';
import { leftBehindText } from './left-behind/store-folder';
import type { Link } from './link';
import { adoptionOf, ledgerRequestOf, selectionOf, type Operation } from './operations';
import {
  occupiedBytes,
  sizeOf,
  type DeadLetterPage,
  type DeadLetterRequest,
  type NewMessage,
  type Usage,
} from './outbox-port';
import type { SalvageProgress } from './salvage/salvage';
import { Session, type SessionTools } from './session';
import { SessionKeeper, type OpenedSession } from './session-keeper';
import { SharedLink } from './shared-link';
import { oldestSeconds, sessionForecast, statisticsOf, type Statistics } from './statistics';
import type { StoreLoss } from './store-loss';
import { statusOf } from './uplink-status';

export interface UplinkTools
  extends Omit<SessionTools, 'ledgerMessage'>, Omit<FateReporterTools, 'changed' | 'closing'> {
  envelope: EnvelopeConfig;
  status: StatusReporter;
  /** Without it nothing can be adopted. */
  adopter?: Adopter;
}

/** The uplink without Node-RED: takes messages, keeps an outbox open, and delivers from it and from what it adopted. */
export class Uplink {
  /** What the outbox has been doing lately. */
  readonly activity: Activity;
  private readonly links: readonly SharedLink[];
  private readonly reporter: FateReporter;
  private readonly keeper: SessionKeeper;
  private readonly adoptions: Adoptions | undefined;
  private closing = false;
  private paused = false;

  constructor(
    private config: UplinkConfig,
    private readonly tools: UplinkTools,
  ) {
    const { clock } = tools;
    this.links = tools.links.map((link) => new SharedLink(link));
    this.reporter = new FateReporter({
      ...tools,
      changed: () => this.showStatus(),
      closing: () => this.closing,
    });
    this.activity = new Activity(
      clock,
      () => {
        const usage = this.session?.outbox.usage;
        return usage && { messages: usage.messages, occupied: occupiedBytes(usage) };
      },
      () => this.showStatus(),
    );
    this.activity.start();
    this.keeper = new SessionKeeper({
      clock,
      open: (broken) => this.openOwn(broken),
      opened: ({ session, loss }) => {
        if (this.paused) {
          session.delivery.pause();
        }
        if (loss) {
          this.reporter.reportLoss(loss, tools.path);
        }
      },
      failed: ({ message }) => this.reporter.warnOnce('store', `${message} It is tried again.`),
      damaged: ({ details, message }) => {
        if (details?.loss) {
          this.reporter.reportLoss(details.loss as StoreLoss, tools.path);
        } else {
          // What is lost is known, and told, when the store has been salvaged.
          tools.log.warn(message);
        }
      },
      changed: () => this.showStatus(),
    });
    this.adoptions = tools.adopter && this.adoptionsOf(tools.adopter);
    this.measure();
    this.adoptions?.start();
  }

  /**
   * Stores one message; resolves once it is synced to disk.
   *
   * @throws EdgeError `TOPIC`, `TOO_LARGE`, `UNSERIALISABLE`, `OUTBOX_FULL` or `STORE`; it is then not stored
   */
  async accept(msg: EdgeMessage): Promise<void> {
    const message = this.envelope(msg);
    const session = this.session ?? (await this.keeper.waited(sizeOf(message)));
    await session.outbox.append(message);
    this.tools.figures.add('edge_bytes_in_total', message.body.byteLength);
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
    const session = await this.keeper.current();
    const { delivery, outbox } = session;
    switch (operation) {
      case 'pause':
        this.paused = true;
        delivery.pause();
        this.adoptions?.pause(true);
        break;
      case 'resume':
        this.paused = false;
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
    const { delivery, outbox } = await this.keeper.current();
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

  /** How its connections are doing, in order; none while the outbox is not open. */
  connections(): ConnectionReport[] {
    return this.session?.delivery.pool.report() ?? [];
  }

  statistics(): Statistics {
    return statisticsOf(
      this.session,
      this.tools.figures,
      this.activity,
      this.config,
      this.adoptions?.sessions(),
    );
  }

  /**
   * Goes on with another configuration, for the same outboxes and connections; what was accepted stays accepted. Rejects
   * with `STORE`, and then changes nothing, while the outbox cannot be opened.
   */
  async adjust(config: UplinkConfig): Promise<void> {
    await this.keeper.current();
    this.config = config;
    await Promise.all([this.keeper.renew(), this.adoptions?.renew()]);
  }

  /** Call after a deployment: config nodes may have been replaced. */
  refresh(): void {
    if (!this.closing) {
      this.links.forEach((link) => link.refresh());
    }
  }

  /** Stores what was accepted, ends the connections and closes the files, which stay where they are. */
  async close(removed: boolean): Promise<void> {
    this.closing = true;
    this.activity.stop();
    const [session] = await Promise.all([this.keeper.close(), this.adoptions?.close()]);
    if (removed && session && session.outbox.usage.messages > 0) {
      const { usage, uuid } = session.outbox;
      this.tools.log.warn(leftBehindText(usage.messages, this.tools.path, uuid));
    }
  }

  /** The own one, while it is open. */
  private get session(): Session | undefined {
    return this.keeper.session;
  }

  private sessions(): Session[] {
    return [...(this.session ? [this.session] : []), ...(this.adoptions?.sessions() ?? [])];
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

  private measure(): void {
    const { figures } = this.tools;
    const total = (figure: (usage: Usage) => number): number =>
      this.sessions().reduce((sum, { outbox }) => sum + figure(outbox.usage), 0);
    figures.gauge('edge_uplink_queue_messages', () => total(({ messages }) => messages));
    figures.gauge('edge_uplink_queue_bytes', () => total(({ bytes }) => bytes));
    figures.gauge('edge_uplink_oldest_seconds', () => oldestSeconds(this.session));
    // Infinite while it does not come to that, which `/edge/metrics` leaves out: an alarm on "less than an hour" stays quiet.
    figures.gauge('edge_uplink_full_seconds', () => this.forecast().fullSeconds ?? Infinity);
    figures.gauge('edge_uplink_drain_seconds', () => this.forecast().drainSeconds ?? Infinity);
  }

  private adoptionsOf(adopter: Adopter): Adoptions {
    const { clock, log, envelope } = this.tools;
    return new Adoptions({
      adopter,
      clock,
      log,
      open: (path, broken) => {
        const links = this.links.map((link) => link.guest());
        const salvaging = (): boolean => !this.closing;
        return this.openSession(adoptedConfig(this.config), { path, links, salvaging, broken });
      },
      publish: async (report) => {
        const { outbox } = await this.keeper.current();
        return outbox.append(ledgerMessage(report, envelope));
      },
      lost: (loss, path) => this.reporter.reportLoss(loss, path),
      reportOnce: (about, text) => this.reporter.warnOnce(about, text),
    });
  }

  private openOwn(broken: (error: EdgeError) => void): Promise<OpenedSession> {
    const { links, activity, tools } = this;
    const salvaging = (progress: SalvageProgress): boolean => this.keeper.noteSalvage(progress);
    return this.openSession(this.config, { path: tools.path, links, activity, salvaging, broken });
  }

  private async openSession(
    config: UplinkConfig,
    { links, ...store }: Omit<ReportedStore, 'session'> & { links: readonly Link[] },
  ): Promise<OpenedSession> {
    const { path } = store;
    const { clock, random, envelope } = this.tools;
    const own: { session?: Session } = {};
    const events = this.reporter.eventsOf({ ...store, session: () => own.session });
    const opened = await Session.open(
      config,
      { path, links, clock, random, ledgerMessage: (report) => ledgerMessage(report, envelope) },
      events,
    );
    own.session = opened.session;
    return opened;
  }

  private forecast(): Forecast {
    return sessionForecast(this.session, this.activity, this.config);
  }

  private showStatus(): void {
    const { meaning, key, params } = statusOf(
      this.session,
      {
        storeFailed: this.keeper.error !== undefined,
        damaged: this.reporter.damaged,
        salvaging: this.keeper.salvaging,
      },
      this.forecast(),
      this.config,
    );
    this.tools.status.set(meaning, key, params);
  }
}
