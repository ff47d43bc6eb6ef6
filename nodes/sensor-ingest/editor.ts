import { CATEGORY, COLORS, foldable, showWhile } from '../shared/editor/forms';
import { useDialogStyles } from '../shared/editor/styles';
import { complaint, fieldLabels, numberField, when } from '../shared/editor/validators';
import { editChannels, isChannelList, readChannels } from './editor/channels';
import { editFeatures, readFeatures } from './editor/features';
import { PreviewPanel } from './editor/preview';

const label = fieldLabels('sensor-ingest');

/** The preview of the dialog that is open, and whose dialog it is. */
let preview: PreviewPanel | undefined;
let editing: string | undefined;

function stopPreview(): void {
  preview?.stop();
  preview = undefined;
  editing = undefined;
}

const usesMqtt = (node: EditorNode): boolean => node.source === 'mqtt';
const usesWindow = (node: EditorNode): boolean => node.window !== 'none';
const usesReduce = (node: EditorNode): boolean => node.reduce !== 'none';
const wholeNumber = (min: number): Validator => numberField({ min, integer: true });
const seconds = numberField({ min: 0 });

const jsonText: Validator = function (value, options) {
  if (typeof value !== 'string' || value.trim() === '') {
    return true;
  }
  try {
    JSON.parse(value);
    return true;
  } catch {
    return complaint('json', { label: options.label ?? '' });
  }
};

/** Looked at again by the runtime, which says more. */
const topicFilters: Validator = function (value, options) {
  const lines = typeof value === 'string' ? value.split('\n').filter((line) => line.trim() !== '') : [];
  if (lines.length === 0) {
    return complaint('required', { label: options.label ?? '' });
  }
  const bad = lines.find(
    (line) => !/^(\$share\/[^/+#]+\/)?([^+#/]*|\+)(\/([^+#/]*|\+))*(\/#)?$|^#$/.test(line.trim()),
  );
  return bad === undefined ? true : this._('sensor-ingest.invalid.filter', { filter: bad });
};

const percentNeedsSpans = when(usesReduce, function (value) {
  if (value !== 'percent') {
    return true;
  }
  const channels = this.id === editing ? readChannels() : this.channels;
  const complete =
    isChannelList(channels) &&
    channels.length > 0 &&
    channels.every(({ min, max }) => min !== '' && max !== '');
  return complete ? true : this._('sensor-ingest.invalid.span');
});

const lacksRate = (node: EditorNode): boolean =>
  (usesWindow(node) || node.format === 'float32' || node.format === 'int16') &&
  !(Number(node.sampleRate) > 0);

const spectralNeedsRate = when(lacksRate, function (value) {
  const spectral =
    Array.isArray(value) && value.some((name) => /^(dominant|spectral|band:)/.test(String(name)));
  return spectral ? this._('sensor-ingest.invalid.rate') : true;
});

RED.nodes.registerType('sensor-ingest', {
  category: CATEGORY,
  color: COLORS.ingest,
  icon: 'sensor-ingest.svg',
  inputs: 1,
  outputs: 3,
  defaults: {
    name: { value: '' },
    source: { value: 'wire' },
    broker: { value: '', type: 'edge-broker', required: false },
    topic: { value: '', label: label('topic'), validate: when(usesMqtt, topicFilters) },
    qos: { value: 1 },
    group: { value: '' },
    format: { value: 'auto' },
    sourceId: { value: 'topic' },
    sourceIdType: { value: 'msg' },
    timestamp: { value: 'ts' },
    idPath: { value: '' },
    schema: { value: '', label: label('schema'), validate: jsonText },
    channels: { value: [] },
    sampleRate: { value: 0, label: label('sampleRate'), validate: numberField({ min: 0 }) },
    window: { value: 'none' },
    windowSize: {
      value: 10,
      label: label('windowSize'),
      validate: when(usesWindow, numberField({ min: 0.001 })),
    },
    windowStep: {
      value: 10,
      label: label('windowStep'),
      validate: when(usesWindow, numberField({ min: 0, optional: true })),
    },
    features: {
      value: ['mean', 'std', 'min', 'max', 'rms'],
      label: label('features'),
      validate: spectralNeedsRate,
    },
    reduce: { value: 'none' },
    tolerance: { value: 1, label: label('tolerance'), validate: when(usesReduce, numberField({ min: 0 })) },
    toleranceType: { value: 'absolute', validate: percentNeedsSpans },
    heartbeat: { value: 600, label: label('heartbeat'), validate: seconds },
    dedupe: { value: 1000, label: label('dedupe'), validate: wholeNumber(0) },
    lateness: { value: 60, label: label('lateness'), validate: seconds },
    futureLimit: { value: 60, label: label('futureLimit'), validate: seconds },
    silence: { value: 0, label: label('silence'), validate: seconds },
    maxSources: { value: 10000, label: label('maxSources'), validate: wholeNumber(1) },
    maxChannels: { value: 1000, label: label('maxChannels'), validate: wholeNumber(1) },
    maxBytes: { value: 1048576, label: label('maxBytes'), validate: wholeNumber(1) },
  },
  label() {
    return this.name || 'sensor-ingest';
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  outputLabels(index) {
    return this._(`sensor-ingest.output.${['readings', 'reduced', 'rejects'][index]}`);
  },
  oneditprepare() {
    useDialogStyles();
    $('#node-input-sourceId').typedInput({
      types: ['msg', 'str'],
      default: 'msg',
      typeField: $('#node-input-sourceIdType'),
    });
    editChannels(this, isChannelList(this.channels) ? this.channels : []);
    editFeatures(this, this.features);
    editing = this.id;
    // The table is no field that the editor knows, and whether percent can be used depends on it.
    $('#edge-ingest-channels').on('change', () => $('#node-input-toleranceType').trigger('change'));
    const value = (property: string): unknown => $(`#node-input-${property}`).val();
    const showFor = (selector: string, properties: string[], holds: () => boolean): void =>
      showWhile(
        selector,
        properties.map((property) => `#node-input-${property}`),
        holds,
      );
    showFor('.edge-ingest-sparkplug', ['format'], () => value('format') === 'sparkplug');
    showFor('.edge-ingest-mqtt', ['source'], () => value('source') === 'mqtt');
    showFor('.edge-ingest-rows', ['window'], () => value('window') !== 'none');
    showFor('.edge-ingest-count', ['window'], () => value('window') === 'count');
    showFor('.edge-ingest-time', ['window'], () => value('window') === 'time');
    showFor(
      '.edge-ingest-features',
      ['window', 'format', 'sampleRate'],
      () =>
        value('window') !== 'none' ||
        ['float32', 'int16'].includes(String(value('format'))) ||
        Number(value('sampleRate')) > 0,
    );
    showFor('.edge-ingest-reduce', ['reduce'], () => value('reduce') !== 'none');
    foldable('#edge-ingest-limits-heading', '#edge-ingest-limits');
    foldable('#edge-ingest-schema-heading', '#edge-ingest-schema', Boolean(this.schema));
    const panel = new PreviewPanel(this);
    foldable('#edge-ingest-preview-heading', '#edge-ingest-preview', false, (open) => panel.toggled(open));
    preview = panel;
  },
  oneditresize() {
    preview?.resized();
  },
  oneditcancel: stopPreview,
  oneditdelete: stopPreview,
  oneditsave() {
    stopPreview();
    this.channels = readChannels();
    this.features = readFeatures(this.features);
  },
});
