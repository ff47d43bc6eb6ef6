import { valueOf } from '../../shared/editor/forms';

const FEATURES = [
  'mean',
  'std',
  'min',
  'max',
  'rms',
  'peak',
  'peakToPeak',
  'crest',
  'kurtosis',
  'skewness',
  'shape',
  'impulse',
  'dominantFrequency',
  'spectralCentroid',
];
const BOXES = '#edge-ingest-feature-boxes';
const BANDS = '#edge-ingest-bands';

/** Fills the choice of features: a box for each, and a line for the bands. */
export function editFeatures(node: EditorNode, value: unknown): void {
  const chosen = asList(value);
  for (const name of FEATURES) {
    const box = $('<input>', { type: 'checkbox', value: name })
      .prop('checked', chosen.includes(name))
      .css({ width: 'auto', margin: '0 4px 0 0' });
    $('<label>')
      .attr('title', node._(`sensor-ingest.feature.${name}`))
      .css({ width: 'auto', whiteSpace: 'nowrap' })
      .append(box)
      .append(document.createTextNode(name))
      .appendTo(BOXES);
  }
  const others = chosen.filter((name) => !FEATURES.includes(name)).map((name) => name.replace(/^band:/, ''));
  $(BANDS).val(others.join(', '));
}

/** The features as chosen; in the order that they had when the same ones are chosen. */
export function readFeatures(before: unknown): string[] {
  const names: string[] = [];
  $(`${BOXES} input:checked`).each(function () {
    names.push(String($(this).val()));
  });
  const bands = valueOf(BANDS)
    .split(',')
    .map((band) => band.trim());
  names.push(...bands.filter((band) => band !== '').map((band) => `band:${band.replace(/^band:/, '')}`));
  const earlier = asList(before);
  const same = earlier.length === names.length && names.every((name) => earlier.includes(name));
  return same ? earlier : names;
}

function asList(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
