/** An uplink in a process that a test kills: arguments are the outbox, the broker's address and the first number. */
import { connect } from 'mqtt';
import { MqttLink } from '../../nodes/resilient-uplink/mqtt-link';
import { parseUplinkConfig } from '../../nodes/resilient-uplink/config';
import { Uplink } from '../../nodes/resilient-uplink/uplink';
import type { Broker } from '../../nodes/shared/connections';
import { systemClock } from '../../nodes/shared/clock';
import { Figures } from '../../nodes/shared/figures';
import { systemRandom } from '../../nodes/shared/random';
import { StatusReporter } from '../../nodes/shared/status';

const [, , path, url, from] = process.argv;
const send = (report: object): void => void process.send?.(report);
const config = parseUplinkConfig({ retryMinMs: 20, retryMaxMs: 200, ackTimeout: 0.5, content: 'message' });

const broker: Broker = {
  kind: 'broker',
  id: 'broker',
  name: 'broker',
  protocolVersion: 4,
  connect: ({ mqtt }) => connect(url, { clientId: 'victim', protocolVersion: 4, ...mqtt, properties: {} }),
};
const link = new MqttLink(() => broker, 'victim', 1, systemClock);
const uplink = new Uplink(config, {
  path,
  links: [link],
  clock: systemClock,
  random: systemRandom,
  envelope: { ...config, gatewayId: 'gateway', site: '', maxBytes: 1e6 },
  figures: new Figures(),
  status: new StatusReporter(
    systemClock,
    (key) => key,
    () => undefined,
  ),
  log: { info: () => undefined, warn: () => undefined },
  delivered: () => undefined,
  undeliverable: (_msg, error) => send({ kind: 'failed', error: error.message }),
});

let resting = false;
process.on('message', () => (resting = true));

async function run(): Promise<void> {
  await uplink.operate('stats');
  send({ kind: 'ready' });
  let number = Number(from);
  while (!resting) {
    const texts: string[] = [];
    const batch = Array.from({ length: 20 }, async () => {
      const text = `${number++} ${'x'.repeat(100)}`;
      await uplink.accept({ _msgid: '', topic: `t/${number % 5}`, payload: text });
      texts.push(text);
    });
    await Promise.all(batch);
    send({ kind: 'accepted', texts });
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

run().catch((thrown: unknown) => send({ kind: 'failed', error: String(thrown) }));
// The parent's channel keeps the process alive.
