import { EdgeError } from '../shared/errors';
import type { Figures } from '../shared/figures';
import type { EdgeMessage } from '../shared/messages';
import type { Activity } from './activity';
import type { DeliveryNote } from './delivery';
import { shortageText } from './disk-reserve';
import { rebuild } from './envelope';
import { sizeOf, type StoredMessage } from './outbox-port';
import type { SalvageProgress } from './salvage/salvage';
import type { Session, SessionEvents } from './session';
import { lossText, type StoreLoss } from './store-loss';

export interface FateReporterTools {
  figures: Figures;
  log: { info(text: string): void; warn(text: string): void };
  /** Output 1. */
  delivered(msg: EdgeMessage): void;
  /** Output 2. */
  undeliverable(msg: EdgeMessage, error: EdgeError): void;
  /** What is shown of the node may be another now. */
  changed(): void;
  /** Whether the node is being closed: what fails then is no news. */
  closing(): boolean;
}

/** An outbox whose messages are reported on. */
export interface ReportedStore {
  path: string;
  /** Once it is open. */
  session: () => Session | undefined;
  /** What it has been doing; only the node's own is watched. */
  activity?: Activity;
  /** A damaged one is being read before it opens; `false` ends that. */
  salvaging(progress: SalvageProgress): boolean;
  broken(error: EdgeError): void;
}

/** Tells what became of messages: at the outputs, in figures and in the log, there once for each thing that is wrong. */
export class FateReporter {
  /** Messages were lost since the node started. */
  damaged = false;
  private readonly reported = new Set<string>();

  constructor(private readonly tools: FateReporterTools) {}

  /** What to do when something happens to an outbox. */
  eventsOf(store: ReportedStore): SessionEvents {
    const { figures, log } = this.tools;
    const undeliverable = (message: StoredMessage, code: string, text: string): void => {
      store.activity?.ended(1, false);
      this.undeliverable(message, store.session()?.outbox.uuid ?? '', code, text);
    };
    return {
      stored: (messages) => this.stored(messages, store),
      delivered: (message, note) => {
        store.activity?.ended(1, true);
        this.delivered(message, note);
      },
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
        store.activity?.ended(sequences.length, false);
        this.reportDamage(
          { count: sequences.length, sequences: sequences.slice(0, 1000) },
          `${sequences.length} stored messages were damaged by the medium.`,
        );
      },
      connectionFailed: (name, reason, fault) => {
        const about = fault === 'permission' ? `${name} ${fault}` : name;
        this.warnOnce(about, `Connection "${name}": ${reason}. It is tried again.`);
      },
      changed: () => this.tools.changed(),
      shortage: (shortage) => {
        if (shortage) {
          this.warnOnce('disk', shortageText(shortage, store.path));
        } else if (this.reported.delete('disk')) {
          log.info('The disk of the outbox has room again.');
        }
        this.tools.changed();
      },
      storeFailed: (error) => {
        if (!this.tools.closing()) {
          this.warnOnce('store', error.message);
        }
      },
      salvaging: (progress) => store.salvaging(progress),
      broken: (error) => store.broken(error),
    };
  }

  /** Tells what of a store with a file is lost. */
  reportLoss(loss: StoreLoss, path: string): void {
    this.tools.figures.addLabelled('edge_uplink_dropped_total', 'code', 'CORRUPT', loss.count);
    this.reportDamage({ ...loss }, lossText(loss, path));
  }

  private reportDamage(details: Record<string, unknown>, text: string): void {
    this.damaged = true;
    this.tools.log.warn(text);
    this.tools.undeliverable({ _msgid: '', payload: details }, new EdgeError('CORRUPT', text, details));
    this.tools.changed();
  }

  /** Warns in the log, once about each thing until it is over. */
  warnOnce(about: string, text: string): void {
    if (!this.reported.has(about)) {
      this.reported.add(about);
      this.tools.log.warn(text);
    }
  }

  private stored(messages: readonly StoredMessage[], { session, activity }: ReportedStore): void {
    const { figures } = this.tools;
    figures.add('edge_uplink_stored_total', messages.length);
    activity?.arrived(
      messages.length,
      messages.reduce((sum, message) => sum + sizeOf(message), 0),
    );
    const carrier = session()?.delivery.pool.current;
    if (!carrier || carrier.failures > 0) {
      figures.add('edge_uplink_data_cached_offline_total', messages.length);
    }
    this.tools.changed();
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
}

function originOf(message: StoredMessage): EdgeMessage {
  return message.origin ? (message.origin as EdgeMessage) : rebuild(message);
}
