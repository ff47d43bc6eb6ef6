import type { Translate } from '../../shared/editor/failure-box';
import { shownBytes, shownNumber } from '../../shared/editor/figures';
import { table } from '../../shared/editor/table';
import type {
  ModelDescription,
  ShownFeature,
  ShownFeed,
  ShownFile,
  ShownScoring,
  ShownTensor,
} from '../inspect/result';
import { cardView } from './card-view';
import { facts, section } from './parts';

/** Shows what a model is. Names in a model file come from strangers, so they are only ever set as text. */
export function modelView(model: ModelDescription, digest: JQuery, translate: Translate): JQuery {
  const { name, version, bytes, provider, file, inputs, outputs, card, feed, scoring } = model;
  const view = $('<div>').append(
    $('<div>', { class: 'edge-onnx-title' }).append(
      $('<strong>').text(name),
      $('<span>', { class: 'edge-note' }).text(version),
      $('<span>', { class: 'edge-note edge-onnx-size' }).text(shownBytes(bytes)),
    ),
  );
  const entries = card ?? [];
  const description = entries.find(({ key, text }) => key === 'description' && text !== undefined);
  if (description?.text !== undefined) {
    view.append($('<div>', { class: 'edge-onnx-description' }).text(description.text));
  }
  view.append(
    facts([
      [translate('inspect.digest'), digest],
      [translate('inspect.producer'), file && producerText(file)],
      [translate('inspect.provider'), provider],
    ]),
  );
  if (model.shortened) {
    view.append($('<div>', { class: 'edge-caption' }).text(translate('inspect.shortened')));
  }
  if (feed) {
    view.append(
      section(translate('inspect.feed', { count: feed.features.count }), feedView(feed, translate), true),
    );
  }
  if (scoring) {
    view.append(section(translate('inspect.scoring'), scoringView(scoring, translate), true));
  }
  if (inputs && outputs) {
    const more = (count: number): string => translate('inspect.more', { count });
    const tensors = (part: typeof inputs, title: string): JQuery =>
      table(tensorColumns(title, translate), part.shown, part.count, more);
    view.append(
      section(
        translate('inspect.tensors'),
        $('<div>').append(
          tensors(inputs, translate('inspect.input')),
          tensors(outputs, translate('inspect.output')),
        ),
        !feed,
      ),
    );
  }
  const others = entries.filter((entry) => entry !== description);
  if (others.length > 0) {
    view.append(section(translate('inspect.card'), cardView(others, translate)));
  }
  if (file && file.metadata.count > 0) {
    view.append(section(translate('inspect.metadata'), metadataView(file, translate)));
  }
  return view;
}

function producerText({ producer, opsets }: ShownFile): string {
  const versions = opsets.shown.map(([domain, version]) => `${domain} ${version}`).join(', ');
  return [producer, versions].filter((text) => text !== '').join(' · ');
}

function metadataView({ metadata }: ShownFile, translate: Translate): JQuery {
  const left = metadata.count - metadata.shown.length;
  const entries = metadata.shown.map(([key, text]) => ({ key, text }));
  return cardView(
    left > 0 ? [...entries, { key: '…', text: translate('inspect.more', { count: left }) }] : entries,
    translate,
  );
}

function tensorColumns(title: string, translate: Translate): Parameters<typeof table<ShownTensor>>[0] {
  return [
    { title, cell: ({ name }) => name },
    {
      title: translate('inspect.type'),
      cell: ({ type }) => type || translate('inspect.noTensor'),
      width: '24%',
    },
    {
      title: translate('inspect.shape'),
      cell: ({ shape }) => `[${shape.map((dim) => (dim === '' ? '?' : dim)).join(', ')}]`,
      width: '28%',
    },
  ];
}

function feedView({ namedBy, features, window, fixedRows }: ShownFeed, translate: Translate): JQuery {
  const view = $('<div>');
  const notes = [translate(`inspect.namedBy.${namedBy}`)];
  if (window) {
    notes.push(translate(`inspect.window.${window.layout}`, { size: window.size }));
  }
  if (fixedRows !== undefined && fixedRows > 1) {
    notes.push(translate('inspect.fixedRows', { count: fixedRows }));
  }
  notes.forEach((note) => view.append($('<div>', { class: 'edge-caption' }).text(note)));
  const places = features.shown.map((feature, at) => ({ ...feature, place: at + 1 }));
  const several = new Set(places.map(({ input }) => input)).size > 1;
  const has = (holds: (feature: ShownFeature) => boolean): boolean => places.some(holds);
  const columns: Parameters<typeof table<ShownFeature & { place: number }>>[0] = [
    { title: '#', cell: ({ place }) => String(place), isNumber: true, width: '24px' },
    { title: translate('inspect.channel'), cell: ({ name }) => name ?? translate('inspect.unnamed') },
    ...(several
      ? [{ title: translate('inspect.input'), cell: ({ input }: ShownFeature) => input, width: '24%' }]
      : []),
    ...(several || has(({ type }) => type !== 'float32')
      ? [{ title: translate('inspect.type'), cell: ({ type }: ShownFeature) => type, width: '18%' }]
      : []),
    ...(has(({ unit }) => unit !== undefined)
      ? [{ title: translate('inspect.unit'), cell: ({ unit = '' }: ShownFeature) => unit, width: '13%' }]
      : []),
    ...(!has(isScaled) && has(({ min, max }) => min !== undefined || max !== undefined)
      ? [{ title: translate('inspect.range'), cell: rangeText, width: '29%' }]
      : []),
    ...(has(isScaled) ? [{ title: translate('inspect.scaling'), cell: scalingText, width: '37%' }] : []),
  ];
  return view.append(table(columns, places, features.count, (count) => translate('inspect.more', { count })));
}

function rangeText({ min, max }: ShownFeature): string {
  const [low, high] = [min, max].map((value) => (value === undefined ? '' : shownNumber(value)));
  return `${low} … ${high}`;
}

function isScaled({ mean, scale }: ShownFeature): boolean {
  return mean !== 0 || scale !== 1;
}

function scalingText(feature: ShownFeature): string {
  const { mean, scale } = feature;
  return isScaled(feature) ? `(x − ${shownNumber(mean, 4)}) / ${shownNumber(scale, 4)}` : '';
}

function scoringView(
  { task, output, threshold, thresholdFrom, negated, activation, classes }: ShownScoring,
  translate: Translate,
): JQuery {
  const source = translate(`inspect.thresholdFrom.${thresholdFrom}`);
  const bar = $('<span>').append(
    $('<span>').text(shownNumber(threshold)),
    ' ',
    $('<span>', { class: 'edge-note' }).text(`(${source})`),
  );
  const list = classes && $('<div>', { class: 'edge-onnx-classes' });
  classes?.shown.forEach(({ label, failing }) => {
    list?.append(
      $('<span>', { class: 'edge-onnx-class' })
        .toggleClass('edge-onnx-failing', failing)
        .attr('title', translate(failing ? 'inspect.failing' : 'inspect.healthy'))
        .append($('<i>', { class: failing ? 'fa fa-warning' : 'fa fa-check', 'aria-hidden': 'true' }))
        .append($('<span>').text(label)),
    );
  });
  const left = classes ? classes.count - classes.shown.length : 0;
  if (left > 0) {
    list?.append($('<span>').text(translate('inspect.more', { count: left })));
  }
  return facts([
    [translate('label.task'), translate(`model.task.${task}`)],
    [translate('label.output'), output],
    [
      translate('inspect.activation'),
      activation === undefined || activation === 'none' ? undefined : translate(`inspect.${activation}`),
    ],
    [translate('label.threshold'), bar],
    ['', negated ? translate('inspect.negated') : undefined],
    [translate('inspect.classes'), list],
  ]);
}
