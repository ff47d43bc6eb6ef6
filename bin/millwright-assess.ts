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
import {
  environmentLanguage,
  loadLanguage,
  namedLanguage,
  REPORT_LANGUAGES,
} from '../assess/report-languages';
import type { ReportLanguage } from '../assess/report-language';
import { textReport } from '../assess/report-text';
import { SampleBuilder, type Sample } from '../assess/sample';
import { systemClock } from '../nodes/shared/clock';
import { EdgeError, toEdgeError } from '../nodes/shared/errors';

const english = loadLanguage('en-US');

const USAGE = `Says what your machines' messages mean for a gateway: how much comes, what reducing it keeps and how wrong
that is, which fields look like personal data, whether this computer carries it, and in how many months a
gateway pays for itself. It only reads and listens; nothing is changed and nothing is sent anywhere.

  millwright-assess sample.ndjson
      a file with one message a line: {"topic": "plant1/cnc-01", "payload": {"torque": 41.2}, "ts": 1767225600000}
  millwright-assess sample.csv
      a table with a header; columns "topic" (or "source", "machine") and "ts" (or "time") say whose and when
  millwright-assess --mqtt mqtt://192.168.1.10 --topic 'plant1/#' --minutes 5
      listens to a broker for five minutes; Ctrl-C ends it early with what has come

Output
  --html report.html     a page with plots that can be passed on; it needs nothing else
  --lang <tag>           language of text and page: ${REPORT_LANGUAGES.join(', ')} (that of LC_ALL or
                         LANG, else English); this help and errors are in English
  --json                 everything as JSON instead of text: names and codes, the same in every language, with
                         errors of single messages in English
  --save sample.ndjson   keeps what was heard over MQTT; it is plant data, so keep it safe

Reading the sample
  --timestamp <name>     property of a payload, or column, that holds the time (ts)
  --seconds <n>          how long the sample took, where messages have no times
  --source <where>       what names the machine, as in sensor-ingest: topic, or such as payload.machine (topic)
  --format <name>        auto, json, csv, msgpack, float32, int16 or sparkplug (auto)
  --sample-rate <Hz>     of waveforms
  --user <name>          of the broker; the password is read from MILLWRIGHT_PASSWORD
  --protocol <version>   5 or 3.1.1 (5)

Your numbers: the more of them are yours, the more the answer is worth (amounts in your own currency)
${ASSUMPTIONS.map(helpLine).join('\n')}`;

function helpLine({ name, option, value, unit }: (typeof ASSUMPTIONS)[number]): string {
  const known = unit === 'money' || unit === 'number' ? String(value) : english.unit(unit, value, 6);
  const fallback = name === 'sources' ? 'as in the sample' : known;
  return `  ${`--${option} <n>`.padEnd(30)}${english.text(`assumptions.label.${name}`)} (${fallback})`;
}

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
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const url = textOf(values, 'mqtt');
  if ((url === undefined) === (files.length === 0) || files.length > 1) {
    process.stderr.write('millwright-assess: name one sample file, or a broker with --mqtt.\n\n');
    process.stderr.write(`${USAGE}\n`);
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
    protocolVersion: textOf(values, 'protocol') === '3.1.1' ? 4 : 5,
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
