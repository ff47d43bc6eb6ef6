import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { needMosquitto } from '../../bench/program';
import type { EdgeMessage } from '../../nodes/shared/messages';
import { FactoryRun } from '../support/factory-run';
import { Mosquitto } from '../support/mosquitto';
import { Station } from '../support/station';
import { TcpProxy } from '../support/tcp-proxy';
import { TEMPLATE, templateOverMqtt } from '../support/template';
import { Oracle } from './oracle';
import type { FaultKind } from './schedule';

const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';
const DISK_MEGABYTES = 256;
export const BALLAST = 'ballast';
/** What the ballast leaves free: less than the 5 % that an outbox leaves to others. */
const LEFT_MEGABYTES = 8;
/** By so many seconds the gateway's clock jumps, and later back; `sensor-ingest` takes a minute either way. */
const JUMP_SECONDS = 40;

export interface SiteOptions {
  machines: number;
  seed: number;
}

/** Machines, their broker, a gateway on a small disk, a line to the cloud's broker, and the oracle behind it. */
export class SoakSite {
  /** Times that the gateway was started again. */
  life = 0;
  private down = false;

  private constructor(
    readonly folder: string,
    private readonly clockFile: string | undefined,
    private readonly machinesBroker: Mosquitto,
    private readonly cloudBroker: Mosquitto,
    private readonly line: TcpProxy,
    readonly station: Station,
    readonly factory: FactoryRun,
    readonly oracle: Oracle,
  ) {}

  static async start({ machines, seed }: SiteOptions): Promise<SoakSite> {
    const program = needMosquitto();
    const folder = mkdtempSync(join(tmpdir(), 'edge-soak-'));
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MEGABYTES}m`, 'tmpfs', folder]).status !== 0) {
      throw new Error('This needs the right to mount a small file system: run it as root');
    }
    const clockFile = existsSync(FAKETIME) ? join(folder, 'clock') : undefined;
    setClock(clockFile, 0);
    const machinesBroker = await Mosquitto.start(program);
    const cloudBroker = await Mosquitto.start(program);
    const line = await TcpProxy.start(cloudBroker.port);
    const oracle = new Oracle();
    await oracle.listen(cloudBroker.url);
    const station = await Station.start({
      flow: templateOverMqtt({ machines: machinesBroker.url, cloud: line.url, protocolVersion: '5' }),
      userDir: folder,
      environment: () => ({ ...(clockFile !== undefined && fakeClock(clockFile)) }),
      onSink: (id: string, msg: EdgeMessage) => {
        if (id === 'accepted') {
          oracle.accept(msg);
        }
      },
    });
    await station.shows(TEMPLATE.ingest, 'sensor-ingest.status.listening');
    await station.shows(TEMPLATE.waves, 'sensor-ingest.status.listening');
    const factory = await FactoryRun.start(machinesBroker.url, [], { machines, seed, seconds: 0 });
    return new SoakSite(folder, clockFile, machinesBroker, cloudBroker, line, station, factory, oracle);
  }

  get hasClock(): boolean {
    return this.clockFile !== undefined;
  }

  get outbox(): string {
    return join(this.folder, 'edge', 'uplink', TEMPLATE.uplink, 'outbox.db');
  }

  get pids(): Record<string, number> {
    return {
      ...(!this.down && { gateway: this.station.pid }),
      'machines’ broker': this.machinesBroker.pid,
      'cloud broker': this.cloudBroker.pid,
      'machines and oracle': process.pid,
    };
  }

  /** Does a fault, lets it last, and ends it. */
  async suffer(kind: FaultKind, seconds: number): Promise<void> {
    const { [kind]: fault } = this.faults;
    const end = await fault();
    await wait(seconds * 1000);
    await end();
  }

  async stop(): Promise<void> {
    await this.station.kill();
    await this.factory.stop();
    await this.oracle.close();
    await this.line.close();
    await this.machinesBroker.stop();
    await this.cloudBroker.stop();
    spawnSync('umount', [this.folder]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Each begins and gives what ends it. */
  private readonly faults: Record<FaultKind, () => Promise<() => Promise<void> | void>> = {
    'cloud down': async () => {
      await this.cloudBroker.kill();
      return () => this.cloudBroker.launch();
    },
    'machines broker down': async () => {
      await this.machinesBroker.kill();
      return () => this.machinesBroker.launch();
    },
    'network cut': () => {
      this.line.freeze();
      return Promise.resolve(() => {
        this.line.cut();
        this.line.heal();
      });
    },
    'gateway killed': async () => {
      this.down = true;
      await this.station.kill();
      return async () => {
        await this.station.launch();
        this.life++;
        this.down = false;
      };
    },
    'clock jump': () => {
      setClock(this.clockFile, JUMP_SECONDS);
      return Promise.resolve(() => setClock(this.clockFile, 0));
    },
    'disk full': () => {
      const { bavail, bsize } = statfsSync(this.folder);
      const bytes = Math.max(0, bavail * bsize - LEFT_MEGABYTES * 1024 * 1024);
      writeFileSync(join(this.folder, BALLAST), Buffer.alloc(bytes, 1));
      return Promise.resolve(() => rmSync(join(this.folder, BALLAST), { force: true }));
    },
  };
}

function setClock(file: string | undefined, aheadSeconds: number): void {
  if (file !== undefined) {
    writeFileSync(file, `+${aheadSeconds}`);
  }
}

/** The wall clock follows a file, looked at every second; the steady one stays true. */
function fakeClock(file: string): Record<string, string> {
  return {
    LD_PRELOAD: FAKETIME,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_CACHE_DURATION: '1',
    DONT_FAKE_MONOTONIC: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
}
