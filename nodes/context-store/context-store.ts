import { join } from 'node:path';
import { mqttTransport } from '../crdt-state/mqtt-transport';
import { leaseReplica, type ReplicaLease } from '../crdt-state/registry';
import type { Transport } from '../crdt-state/transport';
import { clientOptions } from '../edge-broker/client-options';
import { openClient } from '../shared/mqtt-client';
import { systemClock } from '../shared/clock';
import type { Broker } from '../shared/connections';
import { toEdgeError } from '../shared/errors';
import { persistentId } from '../shared/gateway';
import { systemRandom } from '../shared/random';
import { warn } from '../shared/runtime-log';
import { seldomReports } from '../shared/seldom';
import { parseContextStoreConfig, type ContextStoreConfig } from './config';
import { ContextKeys, type GetCallback, type SetCallback } from './store';

/** A context store as Node-RED uses it; everything in it is shared with the other gateways of its space. */
class ReplicatedContext {
  private readonly config: ContextStoreConfig;
  private readonly faults = seldomReports(systemClock);
  private lease: ReplicaLease | undefined;
  private contents: ContextKeys | undefined;
  private link: Transport | undefined;

  constructor(raw: unknown) {
    this.config = parseContextStoreConfig(raw);
  }

  /** Resolves when what was stored is loaded; the broker need not be there. */
  async open(): Promise<void> {
    const { gatewayId, dataDir, replica, spaceKey, broker } = this.config;
    const { space, strategy, rules, flushMs, persist } = replica;
    const id = gatewayId || persistentId(dataDir, 'gateway-id');
    const lease = leaseReplica(
      { nodeId: '', gatewayId: id, name: '', site: '', dataDir },
      { space, strategy, rules, flushMs, persist, spaceKey },
      { clock: systemClock, random: systemRandom },
    );
    this.lease = lease;
    const { shared } = lease;
    const { host } = shared;
    const report = (thrown: unknown): void => this.report(thrown);
    host.listeners.add({ problem: report });
    try {
      await shared.ready;
    } catch (thrown) {
      await lease.release();
      throw thrown;
    }
    this.contents = new ContextKeys(host, (key, error) =>
      this.report(`"${key}" could not be kept: ${toEdgeError(error).message}`),
    );
    if (broker) {
      const link = mqttTransport(
        this.brokerFor(broker),
        {
          nodeId: `context-${space}`,
          space,
          replica: host.replicaId ?? '',
          codec: shared.codec,
          clock: systemClock,
        },
        {
          frame: (bytes, kept) => void shared.receive(bytes, kept).catch(report),
          connected: () => host.reconnected(),
        },
        report,
      );
      this.link = link;
      shared.attach(link);
    }
  }

  /** Resolves when everything that was set is on disk. */
  async close(): Promise<void> {
    await this.contents?.settled();
    if (this.link) {
      await this.lease?.shared.detach(this.link);
    }
    await this.lease?.release();
  }

  get(scope: string, key: string | string[], callback?: GetCallback): unknown {
    return this.opened.get(scope, key, callback);
  }

  set(scope: string, key: string | string[], value: unknown, callback?: SetCallback): void {
    this.opened.set(scope, key, value, callback);
  }

  keys(scope: string, callback?: (error: unknown, names?: string[]) => void): string[] | undefined {
    return this.opened.keys(scope, callback);
  }

  delete(scope: string): Promise<void> {
    return this.opened.delete(scope);
  }

  /** Keeps everything: what no flow of this gateway uses any more may be in use on another. */
  clean(): Promise<void> {
    return Promise.resolve();
  }

  private get opened(): ContextKeys {
    if (!this.contents) {
      throw new Error('The context store is not open.');
    }
    return this.contents;
  }

  private brokerFor({ config, username, password, tls }: NonNullable<ContextStoreConfig['broker']>): Broker {
    const machineId = persistentId(join(this.config.userDir, 'edge'), 'gateway-id');
    const secrets = {
      username,
      password,
      machineId,
      addTls: (options: object) => Object.assign(options, tls),
    };
    return {
      kind: 'broker',
      id: '',
      name: config.name || config.servers.map(({ host, port }) => `${host}:${port}`).join(', '),
      protocolVersion: config.protocolVersion,
      connect: (link) => openClient(clientOptions(config, secrets, link)),
    };
  }

  private report(thrown: unknown): void {
    const text = typeof thrown === 'string' ? thrown : toEdgeError(thrown).message;
    if (this.faults.isDue(text)) {
      warn(`Context store of space "${this.config.replica.space}": ${text}`);
    }
  }
}

function createContext(config: unknown): ReplicatedContext {
  return new ReplicatedContext(config);
}

/** What Node-RED's log calls the module. */
createContext.toString = () => '@millwright/node-red-edge/context';

export = createContext;
