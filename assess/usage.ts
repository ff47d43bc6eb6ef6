import { ASSUMPTIONS } from './assumptions';
import type { ReportLanguage } from './report-language';
import { loadLanguage, REPORT_LANGUAGES } from './report-languages';

/** What `millwright-assess --help` says. */
export function usage(): string {
  const english = loadLanguage('en-US');
  return `Says what your machines' messages mean for a gateway: how much comes, what reducing it keeps and how wrong
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
  --protocol <version>   5 or 3.1.1 (5, else 3.1.1 where the broker refuses it)

Your numbers: the more of them are yours, the more the answer is worth (amounts in your own currency)
${ASSUMPTIONS.map((assumption) => helpLine(assumption, english)).join('\n')}`;
}

function helpLine(
  { name, option, value, unit }: (typeof ASSUMPTIONS)[number],
  english: ReportLanguage,
): string {
  const known = unit === 'money' || unit === 'number' ? String(value) : english.unit(unit, value, 6);
  const fallback = name === 'sources' ? 'as in the sample' : known;
  return `  ${`--${option} <n>`.padEnd(30)}${english.text(`assumptions.label.${name}`)} (${fallback})`;
}
