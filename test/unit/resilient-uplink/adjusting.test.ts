import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseUplinkConfig } from '../../../nodes/resilient-uplink/config';
import { Uplink } from '../../../nodes/resilient-uplink/uplink';
import { systemClock } from '../../../nodes/shared/clock';
import { Figures } from '../../../nodes/shared/figures';
import { SeededRandom } from '../../../nodes/shared/random';
import { StatusReporter } from '../../../nodes/shared/status';
import { makeOrphan } from '../../support/orphan';
import { FakeLink, folderOf } from './support';

test('an adjustment loses nothing, keeps a pause, and goes on with what was adopted', async (t) => {
  const folder = folderOf('adjusting');
  t.after(folder.remove);
  const left = ['left0', 'left1', 'left2'];
  const { file } = makeOrphan(folder.path, 'gone', left);
  const link = new FakeLink('broker');
  const ended: string[] = [];
  const config = parseUplinkConfig({});
  const uplink = new Uplink(config, {
    path: join(folder.path, 'uplink', 'own', 'outbox.db'),
    links: [link],
    clock: systemClock,
    random: new SeededRandom(1),
    envelope: { ...config, gatewayId: 'gateway', site: '', maxBytes: 1e6 },
    figures: new Figures(),
    status: new StatusReporter(
      systemClock,
      (key) => key,
      () => undefined,
    ),
    log: { info: () => undefined, warn: (text) => ended.push(text) },
    delivered: ({ payload }) => ended.push(String(payload)),
    undeliverable: (_msg, error) => ended.push(error.code),
    adopter: {
      nodeId: 'own',
      stores: {
        find: () => Promise.reject(new Error('nobody asks')),
        claim: () => Promise.reject(new Error('nobody asks')),
        claimedBy: () => Promise.resolve([file]),
        setAside: () => Promise.resolve(),
      },
    },
  });
  await uplink.operate('pause');
  await uplink.accept({ _msgid: '', topic: 't', payload: 'own0' });
  while (uplink.statistics().adopted.length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const sent = link.sent.length;
  const adjusting = uplink.adjust(parseUplinkConfig({ replayRate: 1000 }));
  const during = uplink.accept({ _msgid: '', topic: 't', payload: 'own1' });
  await adjusting;
  await during;
  const { paused, queueMessages, adopted } = uplink.statistics();
  assert.deepEqual([paused, queueMessages], [true, 2]);
  assert.equal(adopted[0].messages, left.length - sent);
  assert.equal(link.sent.length, sent, 'a pause holds over an adjustment');
  await uplink.operate('resume');
  while (ended.length < 5) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.deepEqual([...ended].sort(), [...left, 'own0', 'own1']);
  await uplink.close(false);
});
