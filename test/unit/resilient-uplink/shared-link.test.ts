import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Answer, Link, Loss, Outgoing } from '../../../nodes/resilient-uplink/link';
import { SharedLink } from '../../../nodes/resilient-uplink/shared-link';
import { FakeLink } from './support';

const outgoing = (id: string): Outgoing => ({
  id,
  topic: 't',
  body: Buffer.from(id),
  contentType: 'text/plain',
  storedMs: 0,
  replay: false,
});

/** One delivery's view of a connection, and what it was told. */
class View {
  readonly told: string[] = [];
  readonly answers: [id: string, outcome: Answer['outcome']][] = [];
  readonly losses: Loss[] = [];
  flights = 0;

  constructor(readonly link: Link) {}

  open(): void {
    this.link.open({ opened: () => this.told.push('opened'), lost: (loss) => this.lost(loss) });
  }

  /** As a delivery does: no more than the window. */
  sendIfRoom(id: string): boolean {
    if (this.told.at(-1) !== 'opened' || this.flights >= this.link.window) {
      return false;
    }
    this.flights++;
    this.link.send(outgoing(id), ({ outcome }) => {
      this.flights--;
      this.answers.push([id, outcome]);
    });
    return true;
  }

  private lost(loss: Loss): void {
    this.flights = 0;
    this.losses.push(loss);
    this.told.push(`lost: ${loss.reason}`);
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function shared(window: number): { real: FakeLink; host: View; link: SharedLink } {
  const real = new FakeLink('broker');
  real.window = window;
  real.onSend = undefined;
  const link = new SharedLink(real);
  return { real, host: new View(link), link };
}

test('a guest opens with the host, is told when it is lost, and opens nothing by itself', async () => {
  const { real, host, link } = shared(8);
  const guest = new View(link.guest());
  guest.open();
  await settle();
  assert.deepEqual([real.opens, guest.told], [0, []]);
  host.open();
  await settle();
  assert.deepEqual([real.opens, host.told, guest.told], [1, ['opened'], ['opened']]);
  const late = new View(link.guest());
  late.open();
  await settle();
  assert.deepEqual([real.opens, late.told], [1, ['opened']]);
  guest.link.close();
  assert.ok(host.sendIfRoom('still open'));
  real.die('reset');
  await settle();
  assert.deepEqual([host.told.at(-1), late.told.at(-1)], ['lost: reset', 'lost: reset']);
  assert.deepEqual(guest.told, ['opened'], 'who has closed is told nothing');
});

test('an answer goes to whoever sent, and to nobody after it has closed', async () => {
  const { real, host, link } = shared(8);
  const guest = new View(link.guest());
  host.open();
  guest.open();
  await settle();
  host.sendIfRoom('a');
  guest.sendIfRoom('b');
  const [a, b] = real.waiting;
  b.answer({ outcome: 'acknowledged' });
  assert.deepEqual([host.answers, guest.answers], [[], [['b', 'acknowledged']]]);
  guest.sendIfRoom('c');
  guest.link.close();
  real.waiting[2].answer({ outcome: 'acknowledged' });
  a.answer({ outcome: 'retry', reason: 'busy' });
  assert.deepEqual([host.answers, guest.answers], [[['a', 'retry']], [['b', 'acknowledged']]]);
});

test('together they never have more under way than the connection admits, and a guest is not starved by a wide one', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.constantFrom('host', 'one', 'two', 'answer', 'lose'), { maxLength: 200 }),
      async (window, steps) => {
        const { real, host, link } = shared(window);
        const views = { host, one: new View(link.guest()), two: new View(link.guest()) };
        const open = async (): Promise<void> => {
          Object.values(views).forEach((view) => view.open());
          await settle();
        };
        await open();
        let id = 0;
        for (const step of steps) {
          if (step === 'answer') {
            real.waiting.shift()?.answer({ outcome: 'acknowledged' });
          } else if (step === 'lose') {
            real.die();
            await settle();
            await open();
          } else {
            views[step].sendIfRoom(String(id++));
          }
          assert.ok(real.waiting.length <= window, `${real.waiting.length} of ${window}`);
          assert.equal(host.flights + views.one.flights + views.two.flights, real.waiting.length);
        }
        while (host.sendIfRoom(String(id++)));
        if (window >= 4 && views.one.flights + views.two.flights === 0) {
          assert.ok(views.one.sendIfRoom('guest'), 'the host leaves room');
        }
      },
    ),
    { numRuns: 150 },
  );
});

test('a closure tells each whether something of the others was under way, and a guest nothing of credentials', async () => {
  const { real, host, link } = shared(8);
  const guest = new View(link.guest());
  const lose = async (senders: readonly View[]): Promise<void> => {
    host.open();
    guest.open();
    await settle();
    senders.forEach((view) => assert.ok(view.sendIfRoom('x')));
    real.die('reset', { closed: true, fault: 'credential' });
    await settle();
  };
  await lose([host]);
  await lose([guest]);
  await lose([host, guest]);
  const closed = { reason: 'reset', closed: true };
  const refused = { ...closed, fault: 'credential' };
  assert.deepEqual(host.losses, [refused, { ...refused, shared: true }, { ...refused, shared: true }]);
  assert.deepEqual(guest.losses, [{ ...closed, shared: true }, closed, { ...closed, shared: true }]);
});

test('all who ask for a sign of life are told, and none asks a connection that cannot give one', () => {
  const { link } = shared(8);
  for (const view of [link, link.guest()]) {
    assert.equal(Reflect.get(view, 'probe'), undefined);
  }
  let alive: (() => void) | undefined;
  const real = Object.assign(new FakeLink('broker'), {
    probe: (tell: () => void) => {
      alive = tell;
    },
  });
  const asked = new SharedLink(real);
  const told: string[] = [];
  asked.probe?.(() => told.push('host'));
  asked.guest().probe?.(() => told.push('guest'));
  alive?.();
  alive?.();
  assert.deepEqual(told, ['host', 'guest']);
});
