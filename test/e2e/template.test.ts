import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { DebugSidebar } from '../support/comms';
import { Station } from '../support/station';
import { readFlow } from '../support/template';

/** Node-RED's own port, which the template's cloud endpoint is reached by. */
const PORT = 1880;

/** What the template's cloud endpoint took out of the batches, one by one. */
const ARRIVED = 'Arrived in the cloud';

/** The buttons in the order they are pressed, and what the debug sidebar must say; the machines take turns. */
const BUTTONS: [fault: string, alert: RegExp][] = [
  ['bearing', /cnc-01.*unusual/],
  ['coolant', /cnc-02.*unusual.*coolant_pressure/],
  ['heat-dissipation', /cnc-03.*known failure HDF/],
  ['power', /cnc-04.*known failure PWF/],
  ['overstrain', /cnc-01.*known failure OSF/],
  ['tool-wear', /cnc-02.*known failure TWF/],
];

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

async function press(station: Station, id: string): Promise<void> {
  const response = await fetch(`${station.url}/inject/${id}`, { method: 'POST' });
  assert.equal(response.status, 200);
}

test('the template runs as it is: each button gives its alert, and the cloud gets everything', async (t) => {
  if (!(await isFree(PORT))) {
    t.skip(`port ${PORT} is taken`);
    return;
  }
  const station = await Station.start({ flow: readFlow('predictive-maintenance'), port: PORT });
  const sidebar = await DebugSidebar.open(station.url);
  try {
    const enabled = await fetch(`${station.url}/debug/edge-pm-arrived/enable`, { method: 'POST' });
    assert.equal(enabled.status, 200);
    for (const [fault, alert] of BUTTONS) {
      await press(station, `edge-pm-break-${fault}`);
      t.diagnostic(await sidebar.waitFor('Alerts', alert, 40_000));
    }
    for (;;) {
      const {
        edge_uplink_queue_messages: queued,
        'edge_uplink_delivered_total{connection="Cloud (this Node-RED)"}': delivered,
      } = await station.figures('edge-pm-uplink');
      if (queued === 0 && delivered > 0) {
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await sidebar.waitFor(ARRIVED, /KNOWN_FAILURE/, 10_000);
    assert.deepEqual(
      sidebar.entries.filter(({ name }) => name !== 'Alerts' && name !== ARRIVED),
      [],
      'nothing rejected, undeliverable or wrong',
    );
    assert.deepEqual(station.problems(), []);
  } finally {
    sidebar.close();
    await station.stop();
  }
});
