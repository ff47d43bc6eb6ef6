/**
 * The whole uplink but Node-RED in a process that a campaign kills: its outbox thread, delivery and MQTT connection.
 * It accepts messages as fast as it can, and writes a line to standard output for each that was accepted: the
 * write is synchronous, so that what is said is said, whenever the kill comes.
 */
import { writeSync } from 'node:fs';
import { connect } from 'mqtt';
import { parseUplinkConfig } from '../../nodes/resilient-uplink/config';
import { MqttLink } from '../../nodes/resilient-uplink/mqtt-link';
import { Uplink } from '../../nodes/resilient-uplink/uplink';
import { systemClock } from '../../nodes/shared/clock';
import type { Broker } from '../../nodes/shared/connections';
import { Figures } from '../../nodes/shared/figures';
import { systemRandom } from '../../nodes/shared/random';
import { StatusReporter } from '../../nodes/shared/status';
import { campaignMessage } from './campaign-message';

export interface CampaignOrder {
  path: string;
  url: string;
  seed: number;
  prefix: string;
  /** The first message's number. */
  from: number;
  /** How many messages to accept; Infinity does not survive JSON, so null = no end. */
  count: number | null;
}

/** Messages whose acceptance is awaited at a time. */
const AHEAD = 64;
/** Messages that wait in the store at most: the campaign is about kills, not about a backlog without end. */
const BACKLOG = 3000;

const { path, url, seed, prefix, from, count } = JSON.parse(process.argv[2]) as CampaignOrder;
const say = (line: string): void => {
  const text = Buffer.from(`${line}\n`);
  for (let written = 0; written < text.length;) {
    try {
      written += writeSync(1, text, written);
    } catch (thrown) {
      // The parent has not read yet what was said before.
      if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'EAGAIN')) {
        throw thrown;
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
};
const config = parseUplinkConfig({ retryMinMs: 10, retryMaxMs: 100, ackTimeout: 0.5, healthInterval: 0.2 });
const broker: Broker = {
  kind: 'broker',
  id: 'broker',
  name: 'broker',
  protocolVersion: 5,
  connect: ({ mqtt }) => connect(url, { clientId: `victim-${process.pid}`, protocolVersion: 5, ...mqtt }),
};
const uplink = new Uplink(config, {
  path,
  links: [new MqttLink(() => broker, 'victim', 1, systemClock)],
  clock: systemClock,
  random: systemRandom,
  envelope: { ...config, gatewayId: 'gateway', site: '', maxBytes: 1e6 },
  figures: new Figures(),
  status: new StatusReporter(
    systemClock,
    (key) => key,
    () => undefined,
  ),
  log: { info: () => undefined, warn: (text) => !/connect/i.test(text) && say(`warning ${text}`) },
  delivered: () => undefined,
  undeliverable: (_msg, error) => say(`failed ${error.code}: ${error.message}`),
});

async function run(): Promise<void> {
  await uplink.operate('stats');
  let { queueMessages } = uplink.statistics();
  say(`ready ${queueMessages}`);
  const end = count === null ? Infinity : from + count;
  for (let next = from; next < end;) {
    const batch: Promise<void>[] = [];
    for (const last = Math.min(end, next + AHEAD); next < last; next++) {
      const number = next;
      const { topic, text } = campaignMessage(seed, prefix, number);
      batch.push(uplink.accept({ _msgid: '', topic, payload: text }).then(() => say(`accepted ${number}`)));
    }
    await Promise.all(batch);
    for (;;) {
      queueMessages = uplink.statistics().queueMessages;
      if (queueMessages <= BACKLOG) {
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

run().catch((thrown: unknown) => say(`failed ${String(thrown)}`));
