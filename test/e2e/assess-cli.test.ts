import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { connectAsync } from 'mqtt';
import type { Assessment } from '../../assess/assessment';
import { Line } from '../../simulation/index';
import { Mosquitto } from '../support/mosquitto';
import { MqttServer } from '../support/mqtt-server';
import { packageRoot } from '../support/runtime';
import { needProgram } from '../support/tools';

const PROGRAM = join(packageRoot, 'dist', 'bin', 'millwright-assess.js');

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-assess-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function run(...parameters: string[]): Promise<{ code: number; out: string; err: string }> {
  return runIn({ LC_ALL: 'C' }, ...parameters);
}

/** @param locale variables of the environment that say whose language it is */
function runIn(
  locale: Record<string, string>,
  ...parameters: string[]
): Promise<{ code: number; out: string; err: string }> {
  const env = { ...process.env, LC_ALL: '', LC_MESSAGES: '', LANG: '', ...locale };
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, ...parameters], { env }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err });
    });
  });
}

/** Five minutes of six simulated machines, the first of which names who works at it. */
function writeSample(): string {
  const line = new Line({ machines: 6, seed: 1 });
  const lines: string[] = [];
  for (let second = 0; second < 300; second++) {
    for (const { topic, payload } of line.step(1)) {
      const person = topic.includes('cnc-01') ? { operatorName: 'Anna Schmidt' } : {};
      lines.push(JSON.stringify({ topic, payload: { ...payload, ...person }, ts: payload.ts }));
    }
  }
  const file = join(folder, 'sample.ndjson');
  writeFileSync(file, lines.join('\n'));
  return file;
}

test('a file of simulated machines is assessed as text, as JSON and as a page', async () => {
  const file = writeSample();
  const page = join(folder, 'report.html');
  const text = await run(file, '--html', page, '--downtime-per-hour', '2000', '--sources', '60');
  assert.equal(text.code, 0, text.err);
  assert.match(text.out, /plant1\/\+\/telemetry\s+6\s/);
  assert.match(text.out, /payload\.operatorName\s+name\s/);
  assert.doesNotMatch(text.out, /Anna/);
  assert.match(text.out, /as assumed .* months/);
  assert.match(readFileSync(page, 'utf8'), /^<!doctype html>[\s\S]*<svg [\s\S]*<\/html>\n$/);

  const json = await run(file, '--json');
  const assessment = JSON.parse(json.out) as Assessment;
  assert.equal(assessment.traffic.messages, 1800);
  assert.equal(assessment.decoded.readings, 1800);
  assert.equal(assessment.settings.length, 8);
  assert.ok(assessment.settings.every(({ maxError, tolerance }) => maxError <= tolerance * (1 + 1e-9)));
  assert.ok(assessment.timings.ingest.meanMs > 0 && (assessment.timings.forest?.meanMs ?? 0) > 0);
  assert.equal(assessment.assumptions.find(({ name }) => name === 'sources')?.from, 'measured');
});

test('a report is in the language that is asked for, else in that of the environment; JSON is the same in all', async () => {
  const file = writeSample();
  const page = join(folder, 'bericht.html');
  const german = await run(file, '--lang', 'de', '--html', page, '--downtime-per-hour', '2000');
  assert.equal(german.code, 0, german.err);
  assert.match(german.out, /^Bewertung von sample\.ndjson\nErstellt am \d+\. \S+ \d{4} um \d\d:\d\d \(UTC\)/);
  assert.match(german.out, /Kosten einer Stunde ungeplanten Stillstands\s+2\.000\s+angegeben/);
  assert.match(german.out, /Totband bei 0,5 %/);
  assert.match(
    readFileSync(page, 'utf8'),
    /^<!doctype html>\n<html lang="de">[\s\S]*<h2>Wirtschaftlichkeit<\/h2>/,
  );

  assert.match((await runIn({ LANG: 'fr_CA.UTF-8' }, file)).out, /^Évaluation de /);
  assert.match((await runIn({ LANG: 'fr_FR', LC_ALL: 'ja_JP.UTF-8' }, file)).out, /^sample\.ndjsonの評価/);
  assert.match((await runIn({ LANG: 'tlh.UTF-8' }, file)).out, /^Assessment of /);

  const unknown = await run(file, '--lang', 'tlh');
  assert.equal(unknown.code, 1);
  assert.match(unknown.err, /in the language "tlh"\. There are: en-US, de, fr, ja, ko, pt-BR, zh-CN\.\n$/);

  const json = JSON.parse((await run(file, '--json', '--lang', 'ja')).out) as Assessment;
  assert.doesNotMatch(JSON.stringify(json), /[\u3040-\u30ff]/);
  assert.equal(json.personal[0].kind, 'name');
});

test('what cannot be done is said with the way out, and ends non-zero', async () => {
  const untimed = join(folder, 'untimed.ndjson');
  writeFileSync(untimed, '{"topic":"a","payload":{"x":1}}\n{"topic":"a","payload":{"x":2}}\n');
  const cases: [parameters: string[], expected: RegExp][] = [
    [[], /name one sample file, or a broker/],
    [[join(folder, 'missing.ndjson')], /cannot be read: ENOENT/],
    [[untimed], /--seconds 300/],
    [[untimed, '--seconds', '60', '--catch-rate', '150'], /"catch-rate" .* from 0 to 100, not "150"/],
    [['--mqtt', 'mqtt://127.0.0.1:1'], /--topic/],
    [
      ['--mqtt', 'mqtt://user:secret@127.0.0.1:1', '--topic', '#'],
      /mqtt:\/\/127.0.0.1:1: .*Check the address/,
    ],
    [['--nonsense'], /--help/],
  ];
  for (const [parameters, expected] of cases) {
    const { code, err } = await run(...parameters);
    assert.match(err, expected);
    assert.doesNotMatch(err, /secret|at .*\.js:/);
    assert.notEqual(code, 0);
  }
  assert.equal((await run(untimed, '--seconds', '60')).code, 0);
  const help = await run('--help');
  assert.equal(help.code, 0);
  assert.match(help.out, /--downtime-per-hour <n>\s+Cost of an hour/);
});

test('a broker is listened to; what was heard can be kept and assessed again', async (t) => {
  const program = needProgram(t, 'mosquitto');
  if (program === undefined) {
    return;
  }
  const broker = await Mosquitto.start(program);
  const saved = join(folder, 'heard.ndjson');
  const machines = await connectAsync(broker.url);
  try {
    await machines.publishAsync('plant1/retained', 'old', { retain: true });
    const child = spawn(process.execPath, [
      ...[PROGRAM, '--mqtt', broker.url, '--topic', 'plant1/#', '--minutes', '1'],
      ...['--json', '--save', saved],
    ]);
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    const exited = once(child, 'exit');
    const line = new Line({ machines: 3, seed: 2 });
    await shown(child.stderr, /listening to plant1/);
    for (let second = 0; second < 20; second++) {
      for (const { topic, payload } of line.step(1)) {
        await machines.publishAsync(topic, JSON.stringify(payload), { qos: 1 });
      }
    }
    child.kill('SIGINT');
    const [code] = (await exited) as [number];
    assert.equal(code, 0);
    const assessment = JSON.parse(out) as Assessment;
    assert.equal(assessment.traffic.messages, 60);
    assert.deepEqual(
      assessment.traffic.patterns.map(({ pattern }) => pattern),
      ['plant1/+/telemetry'],
      'nothing retained',
    );
    assert.equal(statSync(saved).mode & 0o077, 0, 'plant data is for its owner');
    const again = JSON.parse((await run(saved, '--json')).out) as Assessment;
    assert.equal(again.traffic.messages, assessment.traffic.messages);
    assert.equal(again.decoded.readings, assessment.decoded.readings);
  } finally {
    await machines.endAsync(true);
    await broker.stop();
  }
});

test('a broker that speaks only MQTT 3.1.1 is listened to all the same', async () => {
  const broker = await MqttServer.start();
  const machines = await connectAsync(broker.url, { protocolVersion: 4 });
  const listening = spawn(
    process.execPath,
    [PROGRAM, '--mqtt', broker.url, '--topic', 'plant1/#', '--minutes', '1', '--json'],
    { env: { ...process.env, LC_ALL: 'C' } },
  );
  try {
    let out = '';
    listening.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    const exited = once(listening, 'exit');
    await shown(listening.stderr, /listening to plant1/);
    await machines.publishAsync('plant1/cnc-01', '{"torque":41.2}', { qos: 1 });
    listening.kill('SIGINT');
    const [code] = (await exited) as [number];
    assert.equal(code, 0);
    assert.equal((JSON.parse(out) as Assessment).traffic.messages, 1);

    const refused = await run('--mqtt', broker.url, '--topic', 'plant1/#', '--protocol', '5');
    assert.match(refused.err, /protocol version/);
    assert.equal(refused.code, 1);
    assert.match((await run('--mqtt', broker.url, '--topic', '#', '--protocol', '3')).err, /5 or 3\.1\.1/);
  } finally {
    listening.kill();
    await machines.endAsync(true);
    await broker.die();
  }
});

/** Waits until a program has said something. */
async function shown(stream: Readable, text: RegExp): Promise<void> {
  let said = '';
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    said += String(chunk);
    if (text.test(said)) {
      return;
    }
  }
  assert.fail(`it ended and said only: ${said}`);
}
