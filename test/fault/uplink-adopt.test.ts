import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SeededRandom } from '../../nodes/shared/random';
import { makeOrphan } from '../support/orphan';
import { prepareUserDir } from '../support/runtime';
import { Receiver, UplinkStation } from '../support/uplink-station';

const SEED = Number(process.env.EDGE_SEED ?? Date.now() % 1_000_000);
const KILLS = Number(process.env.EDGE_ADOPT_KILLS ?? 4);

test(`an adoption that is cut off by kills ends with nothing lost and nothing under two ids (seed ${SEED})`, async () => {
  const random = new SeededRandom(SEED);
  const receiver = await Receiver.start();
  const texts = Array.from({ length: 3000 }, (_, n) => `orphan ${n}`);
  let orphan = { store: '', file: '' };
  const uplink = await UplinkStation.start(receiver, {
    install: (userDir) => {
      prepareUserDir(userDir);
      orphan = makeOrphan(join(userDir, 'edge'), 'gone', texts);
    },
  });
  const { station } = uplink;
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      // Whether the one before made it is not known to whoever asks: asked again, it is done or refused.
      const asked = fetch(`${station.url}/edge/resilient-uplink/uplink/adopt`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ store: orphan.store }),
      }).catch(() => undefined);
      receiver.accepts = random.next() < 0.8;
      await uplink.send(`own ${kill}`);
      await new Promise((resolve) => setTimeout(resolve, random.int(120)));
      await station.kill();
      await asked;
      receiver.accepts = true;
      await station.launch();
    }
    const { leftBehind } = (await (await fetch(`${station.url}/edge/status`)).json()) as {
      leftBehind: unknown[];
    };
    if (leftBehind.length > 0) {
      // No request got through before its kill.
      await fetch(`${station.url}/edge/resilient-uplink/uplink/adopt`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ store: orphan.store }),
      });
    }
    uplink.accepted.push(...texts);
    await uplink.sendFresh('fresh');
    assert.deepEqual(await uplink.missing(30_000), []);
    assert.deepEqual(receiver.faults, []);
    assert.equal(new Set(receiver.texts).size, receiver.texts.length, 'one message under two ids');
    for (const [n, text] of texts.entries()) {
      assert.equal(receiver.bodies.get(`${orphan.store}:${n + 1}`), text);
    }
    const done = join(station.userDir, 'edge', 'uplink', 'gone.adopted-1');
    const deadline = Date.now() + 15_000;
    while (!existsSync(done)) {
      assert.ok(Date.now() < deadline, 'what was adopted is set aside');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    await station.stop();
    receiver.stop();
  }
});
