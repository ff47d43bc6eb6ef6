import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FlowNode } from '../support/runtime';
import { Station } from '../support/station';

const FLOW: FlowNode[] = [
  { id: 'tab', type: 'tab', label: 'line' },
  {
    id: 'in',
    type: 'http in',
    z: 'tab',
    url: '/write',
    method: 'post',
    wires: [['uplink', 'state', 'reply']],
  },
  { id: 'reply', type: 'http response', z: 'tab', statusCode: '200', wires: [] },
  { id: 'uplink', type: 'resilient-uplink', z: 'tab', topic: 'press', connections: [], wires: [[], []] },
  {
    id: 'state',
    type: 'function',
    z: 'tab',
    func: 'return { topic: msg.payload.key, payload: 1 };',
    wires: [['replica']],
  },
  { id: 'replica', type: 'crdt-state', z: 'tab', space: 'line', wires: [[], []] },
];

interface Report {
  folder: string;
  files: { file: string; bytes: number }[];
}

async function write(station: Station, key: string): Promise<void> {
  const response = await fetch(`${station.url}/write`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key }),
  });
  assert.equal(response.status, 200);
}

async function backUp(station: Station): Promise<Report> {
  const response = await fetch(`${station.url}/edge/backup`, { method: 'POST' });
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as Report;
}

/** Waits until so many messages wait and so many keys are there, or more. */
async function holds(
  station: Station,
  messages: number,
  keys: number,
): Promise<{ messages: number; keys: number }> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const { edge_uplink_queue_messages: waiting = 0, edge_state_keys: held = 0 } = await station.figures();
    if (waiting >= messages && held >= keys) {
      return { messages: waiting, keys: held };
    }
    assert.ok(
      Date.now() < deadline,
      `${waiting} messages and ${held} keys instead of ${messages} and ${keys}`,
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('a backup that is made while everything is in use can be restored, and the latest five are kept', async () => {
  const restored = mkdtempSync(join(tmpdir(), 'edge-restored-'));
  const station = await Station.start({ flow: FLOW });
  try {
    for (let n = 0; n < 20; n++) {
      await write(station, `key-${n}`);
    }
    await holds(station, 20, 20);
    const writing = Promise.all(Array.from({ length: 30 }, (_, n) => write(station, `later-${n}`)));
    const report = await backUp(station);
    await writing;
    const names = report.files.map(({ file }) => file);
    for (const wanted of ['edge/uplink/uplink/outbox.db', 'edge/state.db', 'edge/gateway-id']) {
      assert.ok(names.includes(wanted), `${wanted} is not among ${names.join(', ')}`);
    }
    cpSync(report.folder, restored, { recursive: true });
    for (let n = 0; n < 6; n++) {
      await backUp(station);
    }
    assert.equal(readdirSync(join(station.userDir, 'edge-backups')).length, 5);
  } finally {
    await station.stop();
  }
  const again = await Station.start({ flow: FLOW, userDir: restored });
  try {
    const before = await holds(again, 20, 20);
    await write(again, 'after');
    await holds(again, before.messages + 1, before.keys + 1);
  } finally {
    await again.stop();
    rmSync(restored, { recursive: true, force: true, maxRetries: 3 });
  }
});
