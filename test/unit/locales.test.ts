import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const LOCALES = join(__dirname, '..', '..', '..', 'locales');
const LANGUAGES = ['de', 'fr', 'ja', 'ko', 'pt-BR', 'zh-CN'];
const LANGUAGES_OF_HELP = ['de', 'ja', 'zh-CN'];
const CATALOGS = readdirSync(join(LOCALES, 'en-US')).filter((name) => name.endsWith('.json'));
const HELP_PAGES = readdirSync(join(LOCALES, 'en-US')).filter((name) => name.endsWith('.html'));

/** Keys whose text may be the English one in any language: names, units, codes and samples. */
const SAME_EVERYWHERE = new Set([
  'assessment.unit.bytes',
  'assessment.unit.gigabytes',
  'assessment.unit.hours',
  'assessment.unit.kilobytes',
  'assessment.unit.megabytes',
  'assessment.unit.microseconds',
  'assessment.unit.milliseconds',
  'assessment.unit.per-second',
  'assessment.unit.petabytes',
  'assessment.unit.seconds',
  'assessment.unit.terabytes',
  'edge-broker.label.tls',
  'edge-broker.preset.aws.name',
  'edge-broker.preset.azure.name',
  'edge-broker.preset.emqx.name',
  'edge-broker.preset.hivemq.name',
  'edge-broker.preset.nats.name',
  'edge-gateway.unit.seconds',
  'edge-http.label.tls',
  'edge-http.preset.aws.name',
  'edge-http.preset.azure.name',
  'edge-sidebar.label.tab',
  'edge-sidebar.unit.milliseconds',
  'edge-sidebar.unit.per-second',
  'edge-sidebar.unit.seconds',
  'edge-sidebar.maintenance.hours',
  'edge-sidebar.maintenance.minutes',
  'crdt-state.unit.milliseconds',
  'onnx-detect.inspect.digest',
  'onnx-detect.label.digest',
  'onnx-detect.status.ready',
  'onnx-detect.unit.milliseconds',
  'resilient-uplink.qos.2',
  'resilient-uplink.unit.megabytes',
  'sensor-ingest.encoding.base64',
  'sensor-ingest.feature.crest',
  'sensor-ingest.feature.peakToPeak',
  'sensor-ingest.format.csv',
  'sensor-ingest.format.json',
  'sensor-ingest.format.msgpack',
  'sensor-ingest.format.sparkplug',
  'sensor-ingest.label.schema',
  'sensor-ingest.placeholder.sample',
  'sensor-ingest.placeholder.sampleTopic',
  'sensor-ingest.placeholder.schema',
]);

/** English words that are also the word of a language. */
const SAME_WORDS: Record<string, string[]> = {
  de: [
    'Broker',
    'Format',
    'Gateway',
    'Gateway __id__',
    'Gateway __name__',
    'Header',
    'Live',
    'Logits',
    'Max',
    'Min',
    'Name',
    'Node',
    'Nodes',
    'Score',
    'Token',
    'Topic',
    'Topics',
    'Transport',
    'normal',
  ],
  fr: [
    'Broker',
    'Classes',
    'Compression',
    'Description',
    'Format',
    'Keep alive',
    'Logits',
    'Machine',
    'Max',
    'Messages',
    'Min',
    'Provenance',
    'Score',
    'Site',
    'Source',
    'Topic',
    'Topics',
    'Transport',
    'Type',
    'Verdict',
    'Votes',
    '__count__ message',
    '__count__ messages',
    '__count__ source',
    '__count__ sources',
    '__count__ topic',
    '__count__ topics',
    '__rate__ messages/s',
    '__value__ messages/s',
    'messages',
    'messages/s',
    'normal',
    'score',
    'score __score__',
    'sources',
    'swinging door',
  ],
  ja: [],
  ko: [],
  'pt-BR': [
    'Broker',
    'Classes',
    'Gateway',
    'Gateway __id__',
    'Gateway __name__',
    'Keep alive',
    'Logits',
    'Token',
    'gateway',
    'normal',
    'swinging door',
  ],
  'zh-CN': ['Logits'],
};

/** The longest status text, in columns of Latin letters; a wider one covers the node beside it. */
const STATUS_COLUMNS = 90;

function read(language: string, file: string): string {
  return readFileSync(join(LOCALES, language, file), 'utf8');
}

/** Every text of a catalog by its key; what is neither a text nor an object of them is kept as `undefined`. */
function texts(value: unknown, key = ''): Map<string, string | undefined> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return new Map([[key, typeof value === 'string' ? value : undefined]]);
  }
  return new Map(
    Object.entries(value).flatMap(([name, inner]) => [...texts(inner, key === '' ? name : `${key}.${name}`)]),
  );
}

function catalog(language: string, file: string): Map<string, string | undefined> {
  return texts(JSON.parse(read(language, file)));
}

function sorted(found: Iterable<string>): string[] {
  return [...found].sort();
}

/** What is filled in at run time: `__name__` by Node-RED, `{name}` by the user. */
function placeholders(text: string): string[] {
  return sorted(text.match(/__\w+?__|\{\w+\}/g) ?? []);
}

/** Whether there is more in a text than what is filled in. */
function hasWords(text: string): boolean {
  return /\p{L}/u.test(text.replace(/__\w+?__/g, ''));
}

/** Tags with their attributes, in order; inline ones are sorted within their block, as languages order words differently. */
function skeleton(html: string): string[] {
  const blocks = html.split(/(<\/?(?:script|p|dl|dt|dd|h3|ol|ul|li|pre)\b[^>]*>)/);
  return blocks.map((block) => {
    const isTag = block.startsWith('<') && /^<[^>]*>$/.test(block);
    return isTag ? block : sorted(block.match(/<[^>]*>/g) ?? []).join('');
  });
}

/** Contents of `<code>` and `<pre>`, which no language changes. */
function codes(html: string): string[] {
  return sorted(
    Array.from(html.matchAll(/<(code|pre)>(.*?)<\/\1>/gs), ([, , code = '']) => code.replace(/\s+/g, ' ')),
  );
}

/** Prose of each block, without tags, code and types. */
function prose(html: string): string[] {
  return html
    .replace(/<pre>.*?<\/pre>/gs, '')
    .split(/<\/?(?:script|p|dl|dt|dd|h3|ol|ul|li)\b[^>]*>/)
    .map((block) =>
      block
        .replace(/<code>.*?<\/code>|<span.*?<\/span>|<[^>]*>/gs, ' ')
        .replace(/\s+/g, ' ')
        .trim(),
    );
}

/** East Asian characters take two columns. */
function columns(text: string): number {
  return Array.from(text).reduce((sum, character) => sum + (character > '\u2e80' ? 2 : 1), 0);
}

for (const language of LANGUAGES) {
  test(`${language} has every text of the editor, and no other`, () => {
    const problems = CATALOGS.flatMap((file) => {
      const where = `locales/${language}/${file}`;
      if (!existsSync(join(LOCALES, language, file))) {
        return [`${where} is missing`];
      }
      const translated = catalog(language, file);
      const english = catalog('en-US', file);
      return [
        ...sorted(english.keys())
          .filter((key) => !translated.has(key))
          .map((key) => `${where}: ${key} is missing`),
        ...sorted(translated.keys())
          .filter((key) => !english.has(key))
          .map((key) => `${where}: ${key} is not in en-US`),
      ];
    });
    assert.deepEqual(problems, []);
  });

  test(`${language} fills in what English fills in, and nothing is empty or left in English`, () => {
    const words = new Set(SAME_WORDS[language]);
    const problems = CATALOGS.flatMap((file) => {
      const translated = catalog(language, file);
      return Array.from(catalog('en-US', file), ([key, english = '']) => {
        const where = `locales/${language}/${file}: ${key}`;
        const text = translated.get(key);
        if (text === undefined || text.trim() === '') {
          return `${where} is empty`;
        }
        if (text === english && hasWords(text) && !SAME_EVERYWHERE.has(key) && !words.has(text)) {
          return `${where} is still English: ${text}`;
        }
        if (placeholders(text).join() !== placeholders(english).join()) {
          return `${where} fills in ${placeholders(text).join()} instead of ${placeholders(english).join()}`;
        }
        return key.includes('.status.') && columns(text) > STATUS_COLUMNS
          ? `${where} is too long: ${text}`
          : '';
      }).filter((problem) => problem !== '');
    });
    assert.deepEqual(problems, []);
  });
}

for (const language of LANGUAGES_OF_HELP) {
  test(`${language} has every help page, with the tags, code and structure of the English one`, () => {
    for (const file of HELP_PAGES) {
      const where = `locales/${language}/${file}`;
      assert.ok(existsSync(join(LOCALES, language, file)), `${where} is missing`);
      const translated = read(language, file);
      const english = read('en-US', file);
      assert.deepEqual(skeleton(translated), skeleton(english), `${where}: tags differ`);
      assert.deepEqual(codes(translated), codes(english), `${where}: code differs`);
    }
  });

  test(`${language} leaves no paragraph of a help page empty or in English`, () => {
    const problems = HELP_PAGES.flatMap((file) => {
      const translated = prose(read(language, file));
      return prose(read('en-US', file)).flatMap((english, place) => {
        const text = translated[place] ?? '';
        if (english !== '' && text === '') {
          return [`locales/${language}/${file} is empty where English says: ${english}`];
        }
        const isSentence = english.split(' ').length > 3 && /[a-z]{3}/.test(english);
        return text === english && isSentence
          ? [`locales/${language}/${file} is still English: ${text}`]
          : [];
      });
    });
    assert.deepEqual(problems, []);
  });
}

test('the lists of texts that stay English name nothing that is gone', () => {
  const keys = new Set(CATALOGS.flatMap((file) => [...catalog('en-US', file).keys()]));
  const values = new Set(CATALOGS.flatMap((file) => [...catalog('en-US', file).values()]));
  assert.deepEqual(
    [...SAME_EVERYWHERE].filter((key) => !keys.has(key)),
    [],
  );
  assert.deepEqual(
    Object.values(SAME_WORDS)
      .flat()
      .filter((word) => !values.has(word)),
    [],
  );
});
