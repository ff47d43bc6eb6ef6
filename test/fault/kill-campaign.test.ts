import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connectAsync, type MqttClient } from 'mqtt';
import { SeededRandom } from '../../nodes/shared/random';
import { Oracle, STRIDE, Victim } from '../support/campaign';
import { Mosquitto } from '../support/mosquitto';
import { TcpProxy } from '../support/tcp-proxy';
import { needProgram } from '../support/tools';

const KILLS = Number(process.env.EDGE_KILLS ?? 200);
const SEED = Number(process.env.EDGE_SEED ?? Date.now() % 1_000_000);
const KILLS_PER_STORE = 25;
const COMPLETE_MS = 60_000;

interface StoreResult {
  kills: number;
  killsWhileStarting: number;
  accepted: number;
  arrived: number;
  duplicates: number;
  faults: string[];
}

/** One store file's life: killed again and again, then left alone until everything has arrived. */
async function live(store: number, kills: number, proxy: TcpProxy, cloud: MqttClient): Promise<StoreResult> {
  const random = new SeededRandom(SEED, store);
  const folder = mkdtempSync(join(tmpdir(), 'edge-campaign-'));
  const oracle = new Oracle(SEED, `s${store}`, cloud);
  const { faults } = oracle;
  const launch = (number: number, count: number | null): Victim =>
    new Victim(
      {
        path: join(folder, 'outbox.db'),
        url: proxy.url,
        seed: SEED,
        prefix: `s${store}`,
        from: number * STRIDE,
        count,
      },
      (accepted) => oracle.accepted.add(accepted),
    );
  let killsWhileStarting = 0;
  for (let kill = 0; kill < kills; kill++) {
    const victim = launch(kill, null);
    // Some kills come before the store is open: in the middle of a recovery.
    if (random.next() < 0.1) {
      killsWhileStarting++;
      await pass(60 + random.int(150));
    } else {
      await victim.ready;
      const moment = 5 + random.int(395);
      await disturb(proxy, random, moment);
    }
    await victim.kill();
    proxy.heal();
    faults.push(...victim.complaints.map((complaint) => `launch ${kill}: ${complaint}`));
  }
  const last = launch(kills, 1);
  const found = await last.ready;
  const fresh = kills * STRIDE;
  const missing = await oracle.complete(fresh, COMPLETE_MS);
  await last.kill();
  faults.push(...last.complaints);
  if (missing.length > 0) {
    faults.push(
      `${missing.length} accepted are missing, such as ${missing.slice(0, 5).join(', ')}; the store held ${found ?? 'nothing'}`,
    );
  }
  if (!oracle.arrived.has(fresh)) {
    faults.push('no fresh message flows');
  }
  rmSync(folder, { recursive: true, force: true });
  const { accepted, arrived, duplicates } = oracle;
  return { kills, killsWhileStarting, accepted: accepted.size, arrived: arrived.size, duplicates, faults };
}

/** Lets the time until the kill pass, with now and then a network that fails in it. */
async function disturb(proxy: TcpProxy, random: SeededRandom, moment: number): Promise<void> {
  const dice = random.next();
  const first = random.int(moment);
  await pass(first);
  if (dice < 0.1) {
    proxy.cut();
  } else if (dice < 0.2) {
    // Messages arrive, acknowledgements do not: all of it comes again after the kill.
    proxy.freeze('down');
  } else if (dice < 0.25) {
    proxy.freeze();
  }
  await pass(moment - first);
}

test(`nothing accepted is lost in ${KILLS} kills (seed ${SEED})`, async (t) => {
  const program = needProgram(t, 'mosquitto');
  if (program === undefined) {
    return;
  }
  const began = Date.now();
  const broker = await Mosquitto.start(program);
  const proxy = await TcpProxy.start(broker.port);
  const cloud = await connectAsync(broker.url, { protocolVersion: 5, clientId: 'cloud' });
  cloud.setMaxListeners(0);
  const results: StoreResult[] = [];
  try {
    await cloud.subscribeAsync('#', { qos: 1 });
    for (let done = 0; done < KILLS; done += KILLS_PER_STORE) {
      const result = await live(results.length, Math.min(KILLS_PER_STORE, KILLS - done), proxy, cloud);
      cloud.removeAllListeners('message');
      results.push(result);
      assert.deepEqual(result.faults.slice(0, 10), [], `seed ${SEED}, store ${results.length - 1}`);
      assert.ok(result.accepted > 0, 'nothing was accepted');
    }
  } finally {
    report(results, (Date.now() - began) / 1000, (line) => t.diagnostic(line));
    await cloud.endAsync(true);
    await proxy.close();
    await broker.stop();
  }
});

function report(results: readonly StoreResult[], seconds: number, say: (line: string) => void): void {
  const sum = (of: (result: StoreResult) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  const summary = {
    date: new Date().toISOString(),
    machine: `${cpus().length} × ${cpus()[0].model}`,
    node: process.version,
    seed: SEED,
    killsAsked: KILLS,
    kills: sum(({ kills }) => kills),
    killsWhileStarting: sum(({ killsWhileStarting }) => killsWhileStarting),
    stores: results.length,
    accepted: sum(({ accepted }) => accepted),
    arrived: sum(({ arrived }) => arrived),
    duplicates: sum(({ duplicates }) => duplicates),
    faults: results.flatMap(({ faults }) => faults),
    seconds: Math.round(seconds),
  };
  say(JSON.stringify(summary));
  if (process.env.EDGE_REPORT) {
    writeFileSync(process.env.EDGE_REPORT, `${JSON.stringify(summary, null, 2)}\n`);
  }
}

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
