#!/usr/bin/env node
/** Assesses a sample of a plant's own messages: what they cost to send, what reducing them saves, and what it pays back. */
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { basename } from 'node:path';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { assess, type Assessment } from '../assess/assessment';
import { ASSUMPTIONS } from '../assess/assumptions';
import { listen, withoutSecrets } from '../assess/listen-mqtt';
import { loadSample } from '../assess/load-file';
import { lineOf } from '../assess/read-sample';
import { htmlReport } from '../assess/report-html';
import { environmentLanguage, loadLanguage, namedLanguage } from '../assess/report-languages';
import type { ReportLanguage } from '../assess/report-language';
import { textReport } from '../assess/report-text';
import { usage } from '../assess/usage';
import { SampleBuilder, type Sample } from '../assess/sample';
import { systemClock } from '../nodes/shared/clock';
import { EdgeError, toEdgeError } from '../nodes/shared/errors';

const TEXT = { type: 'string' } as const;
const OPTIONS = {
  ...{ help: { type: 'boolean', short: 'h' }, json: { type: 'boolean' } },
  ...{
    lang: TEXT,
    html: TEXT,
    save: TEXT,
    mqtt: TEXT,
    topic: TEXT,
    minutes: TEXT,
    user: TEXT,
    protocol: TEXT,
  },
  ...{ timestamp: TEXT, seconds: TEXT, source: TEXT, format: TEXT, 'sample-rate': TEXT },
  ...Object.fromEntries(ASSUMPTIONS.map(({ option }) => [option, TEXT])),
} satisfies ParseArgsConfig['options'];

type Values = Partial<Record<string, string | boolean>>;

async function main(parameters: string[]): Promise<number> {
  let values: Values;
  let files: string[];
  try {
    ({ values, positionals: files } = parseArgs({
      args: parameters,
      options: OPTIONS,
      allowPositionals: true,
    }));
  } catch (thrown) {
    throw new EdgeError('REQUEST', `${toEdgeError(thrown).message}. See millwright-assess --help.`);
  }
  if (values.help === true) {
    process.stdout.write(`${usage()}\n`);
    return 0;
  }
  const url = textOf(values, 'mqtt');
  if ((url === undefined) === (files.length === 0) || files.length > 1) {
    process.stderr.write('millwright-assess: name one sample file, or a broker with --mqtt.\n\n');
    process.stderr.write(`${usage()}\n`);
    return 2;
  }
  const named = textOf(values, 'lang');
  // Said now, not after minutes of listening.
  const tag = named === undefined ? environmentLanguage(process.env) : namedLanguage(named);
  const { sample, origin } =
    url === undefined ? await fromFile(files[0], values) : await fromBroker(url, values);
  const assessment = assess({
    ...{ sample, origin },
    ingest: ingestProperties(values),
    given: Object.fromEntries(ASSUMPTIONS.map(({ name, option }) => [name, values[option]])),
    machine: { processor: cpus()[0].model, cores: availableParallelism(), memoryBytes: totalmem() },
    now: systemClock.now(),
    monotonic: () => systemClock.monotonic(),
  });
  write(assessment, values, loadLanguage(tag));
  return 0;
}

function write(assessment: Assessment, values: Values, language: ReportLanguage): void {
  const page = textOf(values, 'html');
  if (page !== undefined) {
    writeFileSync(page, htmlReport(assessment, language));
    process.stderr.write(`millwright-assess: the page is in ${page}\n`);
  }
  process.stdout.write(
    values.json === true ? `${JSON.stringify(assessment, null, 2)}\n` : textReport(assessment, language),
  );
}

async function fromFile(file: string, values: Values): Promise<{ sample: Sample; origin: string }> {
  const sample = await loadSample(file, {
    timestamp: textOf(values, 'timestamp') ?? 'ts',
    seconds: amountOf(values, 'seconds'),
  });
  return { sample, origin: basename(file) };
}

async function fromBroker(url: string, values: Values): Promise<{ sample: Sample; origin: string }> {
  const topic = textOf(values, 'topic');
  const minutes = amountOf(values, 'minutes') ?? 5;
  const save = textOf(values, 'save');
  if (topic === undefined) {
    throw new EdgeError('REQUEST', "Say what to listen to, such as --topic 'plant1/#'.");
  }
  const builder = new SampleBuilder();
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const seconds = await listen({
    ...{ url, topic, milliseconds: minutes * 60_000, clock: systemClock, signal: stop.signal },
    username: textOf(values, 'user'),
    password: process.env.MILLWRIGHT_PASSWORD,
    protocolVersion: protocolOf(values),
    listening: () => {
      const where = `${topic} at ${withoutSecrets(url)}`;
      process.stderr.write(
        `millwright-assess: listening to ${where} for ${minutes} minutes; Ctrl-C ends it early\n`,
      );
    },
    received: (message) => builder.add(message),
  });
  const sample = builder.sample(seconds);
  if (save !== undefined) {
    // Only for whoever asked: it is plant data.
    writeFileSync(save, sample.messages.map((message) => `${lineOf(message)}\n`).join(''), { mode: 0o600 });
  }
  return { sample, origin: `${topic} (${withoutSecrets(url)})` };
}

function protocolOf(values: Values): 4 | 5 | undefined {
  const named = textOf(values, 'protocol');
  if (named !== undefined && named !== '5' && named !== '3.1.1') {
    throw new EdgeError('REQUEST', `--protocol must be 5 or 3.1.1, not "${named}".`);
  }
  return named === undefined ? undefined : named === '5' ? 5 : 4;
}

/** The options that say how messages are read, as properties of a `sensor-ingest`. */
function ingestProperties(values: Values): object {
  const source = textOf(values, 'source');
  const rate = amountOf(values, 'sample-rate');
  return {
    timestamp: textOf(values, 'timestamp') ?? 'ts',
    ...(source !== undefined && { sourceId: source, sourceIdType: 'msg' }),
    ...(textOf(values, 'format') !== undefined && { format: textOf(values, 'format') }),
    ...(rate !== undefined && { sampleRate: rate }),
  };
}

function textOf(values: Values, option: string): string | undefined {
  const value = values[option];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function amountOf(values: Values, option: string): number | undefined {
  const text = textOf(values, option);
  if (text !== undefined && !(Number(text) > 0 && Number(text) < 1e9)) {
    throw new EdgeError('REQUEST', `--${option} must be a number above 0, not "${text}".`);
  }
  return text === undefined ? undefined : Number(text);
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (thrown: unknown) => {
    process.stderr.write(`millwright-assess: ${toEdgeError(thrown).message}\n`);
    process.exitCode = 1;
  },
);
