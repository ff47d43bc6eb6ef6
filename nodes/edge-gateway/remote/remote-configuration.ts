import type { KeyObject } from 'node:crypto';
import type { Clock } from '../../shared/clock';
import { EdgeError, toEdgeError } from '../../shared/errors';
import { putInForce, type SettingsByNode } from '../../shared/remote-settings';
import type { StationEntry } from '../../shared/station';
import { applySettings } from './applier';
import { openDocument, type RemoteDocument } from './document';

/** What became of a document; published, retained, for whoever sent it. */
export interface RemoteReport {
  gateway: string;
  /** Of the document in force; 0 when there is none. */
  version: number;
  status: 'applied' | 'refused';
  /** Why it was refused. */
  code?: string;
  message?: string;
  /** Ms since the epoch. */
  ts: number;
  /** What is in force, by node. */
  settings: Record<string, Readonly<Record<string, unknown>>>;
}

export interface RemoteTools {
  gatewayId: string;
  /** Id of the gateway node. */
  gatewayNode: string;
  publicKey: KeyObject;
  clock: Clock;
  entries(): readonly StationEntry[];
  /** Keeps a document over restarts, synced to disk. */
  save(bytes: Uint8Array): Promise<void>;
  report(report: RemoteReport): void;
  log: { info(text: string): void; warn(text: string): void };
}

const NONE: SettingsByNode = new Map();

/**
 * Takes signed documents: checks, applies to the running nodes, keeps and reports each, one after the other. What is in
 * force holds over restarts and deployments, whether or not the broker can be reached.
 */
export class RemoteConfiguration {
  private current: RemoteDocument | undefined;
  private work: Promise<void> = Promise.resolve();
  /** The last one that waits while another is applied; those between are passed over. */
  private next: Uint8Array | undefined;

  constructor(private readonly tools: RemoteTools) {}

  /** The version in force; 0 for none. */
  get version(): number {
    return this.current?.version ?? 0;
  }

  /** Puts a kept document in force for the nodes that start after this one. */
  restore(bytes: Uint8Array): void {
    try {
      // It was valid when it was taken; what was to be applied by a certain time has been.
      this.current = openDocument(bytes, this.rules(0, -Infinity));
      putInForce(this.tools.gatewayNode, this.current.settings);
    } catch (thrown) {
      this.tools.log.warn(
        `The remote configuration that was kept is not used: ${toEdgeError(thrown).message}`,
      );
    }
  }

  /** Takes a document as it arrived; never rejects. */
  take(bytes: Uint8Array): Promise<void> {
    const waiting = this.next !== undefined;
    this.next = bytes;
    if (!waiting) {
      this.work = this.work.then(() => this.apply());
    }
    return this.work;
  }

  /** Says what is in force, as after a connection was made. */
  reportCurrent(): void {
    if (this.current) {
      this.tools.report(this.reportOf('applied'));
    }
  }

  /** Takes everything back for nodes that start from now on. */
  close(): void {
    putInForce(this.tools.gatewayNode, undefined);
  }

  private async apply(): Promise<void> {
    const bytes = this.next ?? new Uint8Array();
    this.next = undefined;
    const { clock, gatewayNode, log } = this.tools;
    try {
      const document = openDocument(bytes, this.rules(this.version, clock.now()));
      if (document.version === this.version) {
        this.repeated(document);
      } else {
        await applySettings(
          this.current?.settings ?? NONE,
          document.settings,
          this.tools.entries(),
          gatewayNode,
        );
        await this.keep(document, bytes);
        log.info(`Remote configuration, version ${document.version}, is in force.`);
      }
      this.tools.report(this.reportOf('applied'));
    } catch (thrown) {
      const { code, message } = toEdgeError(thrown);
      log.warn(`A remote configuration was refused (${code}): ${message}`);
      this.tools.report({ ...this.reportOf('refused'), code, message });
    }
  }

  private repeated({ text, version }: RemoteDocument): void {
    if (text !== this.current?.text) {
      throw new EdgeError(
        'REMOTE_VERSION',
        `Another document with version ${version} is in force. Give this one a higher version.`,
      );
    }
  }

  private async keep(document: RemoteDocument, bytes: Uint8Array): Promise<void> {
    const before = this.current;
    this.current = document;
    putInForce(this.tools.gatewayNode, document.settings);
    try {
      await this.tools.save(bytes);
    } catch (thrown) {
      // In force only until the next restart would be a surprise then.
      this.current = before;
      putInForce(this.tools.gatewayNode, before?.settings);
      await applySettings(
        document.settings,
        before?.settings ?? NONE,
        this.tools.entries(),
        this.tools.gatewayNode,
      );
      throw new EdgeError('STORE', `The document cannot be kept: ${toEdgeError(thrown).message}`);
    }
  }

  private rules(version: number, now: number): Parameters<typeof openDocument>[1] {
    const { publicKey, gatewayId } = this.tools;
    return { publicKey, gatewayId, version, now };
  }

  private reportOf(status: RemoteReport['status']): RemoteReport {
    return {
      gateway: this.tools.gatewayId,
      version: this.version,
      status,
      ts: this.tools.clock.now(),
      settings: Object.fromEntries(this.current?.settings ?? []),
    };
  }
}
