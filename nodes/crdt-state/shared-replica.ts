import { randomBytes } from 'node:crypto';
import type { Clock } from '../shared/clock';
import { EdgeError, toEdgeError } from '../shared/errors';
import type { Gateway } from '../shared/gateway';
import type { Random } from '../shared/random';
import { openStateStore, type StateStore } from '../shared/store/state-store';
import { FrameCodec } from './frames';
import { ReplicaHost } from './host';
import { isReplicaId } from './limits';
import { replicaId } from './replica';
import { SentFrames } from './sent-frames';
import { StrategyBook, type Strategy, type StrategyRule } from './strategies';
import { frameTopic } from './topics';
import type { Transport } from './transport';

/** What the nodes of one replica must agree on. */
export interface ReplicaSettings {
  space: string;
  strategy: Strategy;
  rules: StrategyRule[];
  flushMs: number;
  persist: boolean;
  spaceKey: string;
}

/** One gateway's replica of one space, shared by all nodes of that gateway and space in this process. */
export class SharedReplica {
  readonly host: ReplicaHost;
  readonly codec: FrameCodec;
  /** Settles when the replica is loaded; rejects with `STORE`. */
  readonly ready: Promise<void>;
  users = 0;
  private readonly transports = new Set<Transport>();
  private readonly sent = new SentFrames();
  private store: StateStore | undefined;

  constructor(
    gateway: Gateway,
    private readonly settings: ReplicaSettings,
    { clock, random }: { clock: Clock; random: Random },
    predecessor: Promise<void> | undefined,
  ) {
    const { space, strategy, rules, flushMs, persist, spaceKey } = settings;
    if (!isReplicaId(replicaId(gateway.gatewayId, '0'.repeat(12)))) {
      throw new EdgeError('CONFIG', 'Property "gatewayId" is too long: use up to 180 characters.', {
        property: 'gatewayId',
      });
    }
    const namespace = `crdt-state/${gateway.gatewayId}/${space}`;
    this.codec = new FrameCodec(space, spaceKey);
    this.host = new ReplicaHost({
      gatewayId: gateway.gatewayId,
      strategies: new StrategyBook(strategy, rules),
      clock,
      random,
      namespace,
      times: { flushMs },
      newIncarnation: () => randomBytes(6).toString('hex'),
      pause: () => new Promise((resolve) => setImmediate(resolve)),
      connected: () => [...this.transports].some(({ connected }) => connected),
      ...(persist && {
        store: {
          load: () => this.load(gateway.dataDir, namespace),
          origin: () => this.opened().origin(),
          write: (rows) => this.opened().write(rows),
        },
      }),
    });
    this.host.listeners.add({
      frame: (frame) => {
        const bytes = this.codec.encode(frame);
        this.sent.add(bytes);
        for (const transport of this.transports) {
          if (transport.connected) {
            transport.send(frame, frameTopic(space, frame), bytes);
          }
        }
      },
    });
    // Not before every node has had its turn to start: the first frames are for all their transports.
    this.ready = (predecessor ?? Promise.resolve()).then(() => this.host.start());
  }

  /** Throws `CONFIG` when another node of this replica is set up differently. */
  agree(settings: ReplicaSettings): void {
    const names = Object.keys(settings) as (keyof ReplicaSettings)[];
    for (const name of names) {
      if (JSON.stringify(settings[name]) !== JSON.stringify(this.settings[name])) {
        throw new EdgeError(
          'CONFIG',
          `Property "${name}" differs from another crdt-state node with the same gateway and space. Set both alike, or give one its own space.`,
          { property: name },
        );
      }
    }
  }

  attach(transport: Transport): void {
    this.transports.add(transport);
  }

  async detach(transport: Transport): Promise<void> {
    this.transports.delete(transport);
    await transport.close();
  }

  /**
   * Takes a frame as it came; rejects with `SYNC_INVALID`, `SYNC_VERSION`, `SYNC_AUTH` or `STORE`.
   *
   * @param kept it was kept for late comers, and its sender may be gone since
   */
  async receive(bytes: Uint8Array, kept = false): Promise<void> {
    await this.host.receive(this.codec.decode(bytes), { kept, echo: this.sent.has(bytes) }, bytes.length);
  }

  async close(): Promise<void> {
    await this.ready.catch(() => undefined);
    await this.host.close();
    await this.store?.release();
  }

  private async load(dataDir: string, namespace: string): Promise<ReadonlyMap<string, Uint8Array>> {
    const store = await openStateStore(dataDir);
    this.store = store;
    try {
      const damaged = await store.setAside();
      if (damaged !== undefined) {
        this.host.report(
          new EdgeError(
            'STORE',
            `The stored state was damaged and set aside as ${damaged}. Peers fill it in again.`,
          ),
        );
      }
      return await store.load(namespace);
    } catch (thrown) {
      await store.release();
      throw toEdgeError(thrown, 'STORE');
    }
  }

  private opened(): StateStore {
    if (!this.store) {
      throw new EdgeError('STORE', 'The state store is not open.');
    }
    return this.store;
  }
}
