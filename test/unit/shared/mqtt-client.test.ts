import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const SCRIPT = `
  const { openClient } = require(process.argv[1]);
  const client = openClient({ protocol: 'mqtt', manualConnect: true });
  process.stdout.write(String(client.options.log === undefined));
`;
const MODULE = join(__dirname, '..', '..', '..', 'nodes', 'shared', 'mqtt-client.js');

function open(debug: string | undefined): { stdout: string; stderr: string } {
  const env = { ...process.env };
  delete env['DEBUG'];
  return spawnSync(process.execPath, ['-e', SCRIPT, MODULE], {
    encoding: 'utf8',
    env: debug === undefined ? env : { ...env, DEBUG: debug },
  });
}

test('whoever asks for it by DEBUG sees what mqtt.js does, and nobody else pays for it', () => {
  const asked = open('mqttjs:client');
  assert.match(asked.stderr, /mqttjs:client MqttClient :: version/);
  assert.equal(asked.stdout, 'true');
  const unasked = open(undefined);
  assert.deepEqual([unasked.stderr, unasked.stdout], ['', 'false']);
});
