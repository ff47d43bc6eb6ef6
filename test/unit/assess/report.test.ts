import assert from 'node:assert/strict';
import { test } from 'node:test';
import { htmlReport } from '../../../assess/report-html';
import { loadLanguage } from '../../../assess/report-languages';
import { textReport } from '../../../assess/report-text';
import { assessed, message, simulated, START } from './support';

const english = loadLanguage('en-US');

test('text and page say the same, with every assumption and where it is from', () => {
  const assessment = assessed(simulated(4, 60), { given: { downtimePerHour: 2000, sources: 40 } });
  assert.equal(assessment.decoded.sources.length, 4);
  assert.ok(Math.abs(assessment.capacity.readingsPerSecond - (40 * 60) / 59) < 0.01, 'ten times the sample');
  assert.ok(Math.abs(assessment.timings.ingest.meanMs - 0.01) < 1e-9, 'by the clock that it was handed');
  const text = textReport(assessment, english);
  const page = htmlReport(assessment, english);
  for (const { name } of assessment.assumptions) {
    const label = english.text(`assumptions.label.${name}`);
    assert.ok(text.includes(label), label);
    assert.ok(page.includes(label.replaceAll("'", '&#39;')), label);
  }
  assert.match(text, /Cost of an hour of unplanned downtime\s+2,000\s+given/);
  assert.match(text, /half the catch rate/);
  assert.equal(page.match(/<svg /g)?.length, 3);
});

test('the page needs nothing from anywhere, and what a stranger sent stays text', () => {
  const hostile = `"><script>alert(1)</script>`;
  const messages = simulated(2, 30).map(({ topic, payload, at }) =>
    message(`${topic}${hostile}`, { ...(payload as object), [`operator${hostile}`]: 1, [hostile]: 2 }, at),
  );
  const page = htmlReport(assessed(messages, { origin: hostile }), english);
  assert.doesNotMatch(page, /<script|<link|<img|<iframe|@import|url\(|\b(src|href)=/i);
  assert.doesNotMatch(page.replace(/xmlns="[^"]*"/g, ''), /https?:/);
  assert.match(page, /default-src &#39;none&#39;|default-src 'none'/);
  assert.match(page, /&lt;script&gt;/);
});

test('a sample without numbers is assessed as far as it goes', () => {
  const assessment = assessed([message('t', 'on', START), message('t', 'off', START + 1000)]);
  assert.equal(assessment.best, null);
  assert.match(textReport(assessment, english), /Nothing could be read as a reading/);
  assert.match(htmlReport(assessment, english), /NO_CHANNELS|DECODE/);
});

test('an empty sample and a tolerance that is not offered are refused', () => {
  assert.throws(() => assessed([]), { code: 'SAMPLE' });
  assert.throws(() => assessed(simulated(1, 5), { given: { tolerance: 3 } }), { code: 'REQUEST' });
});
