import {
  CATEGORY,
  COLORS,
  fieldValue,
  foldable,
  linesToList,
  listToLines,
  showWhile,
} from '../shared/editor/forms';
import { useDialogStyles } from '../shared/editor/styles';
import { fieldLabels, numberField } from '../shared/editor/validators';
import { LivePanel } from './editor/live-panel';

/** Rows that a property may count. */
const rows = (min: number): ReturnType<typeof numberField> =>
  numberField({ min, max: 100_000, integer: true });

const label = fieldLabels('iso-forest');

/** The live view of the dialog that is open. */
let live: LivePanel | undefined;

function stopLive(): void {
  live?.stop();
  live = undefined;
}

RED.nodes.registerType('iso-forest', {
  category: CATEGORY,
  color: COLORS.novel,
  defaults: {
    name: { value: '' },
    channels: { value: [] },
    scope: { value: 'source' },
    history: { value: 1000, label: label('history'), validate: rows(2) },
    retrain: { value: 100, label: label('retrain'), validate: rows(1) },
    learn: { value: 'both' },
    reference: { value: 1000, label: label('reference'), validate: rows(2) },
    warmup: { value: 100, label: label('warmup'), validate: rows(2) },
    trees: { value: 100, label: label('trees'), validate: numberField({ min: 1, max: 1000, integer: true }) },
    sample: {
      value: 256,
      label: label('sample'),
      validate: numberField({ min: 2, max: 4096, integer: true }),
    },
    variant: { value: 'blend' },
    shingle: {
      value: 1,
      label: label('shingle'),
      validate: numberField({ min: 1, max: 1000, integer: true }),
    },
    smoothing: { value: 0, label: label('smoothing'), validate: numberField({ min: 0, max: 100_000 }) },
    missing: { value: 'reject' },
    thresholdMode: { value: 'auto' },
    alarmRate: { value: 0.0005, label: label('alarmRate'), validate: numberField({ min: 1e-9, max: 0.5 }) },
    contamination: {
      value: 0.1,
      label: label('contamination'),
      validate: numberField({ min: 1e-6, max: 0.5 }),
    },
    scoreThreshold: { value: 0.6, label: label('scoreThreshold'), validate: numberField({ min: 0, max: 1 }) },
    votes: { value: 1, label: label('votes'), validate: numberField({ min: 1, max: 1000, integer: true }) },
    voteWindow: {
      value: 1,
      label: label('voteWindow'),
      validate: numberField({ min: 1, max: 1000, integer: true }),
    },
    holdOff: { value: 0, label: label('holdOff'), validate: numberField({ min: 0 }) },
    seed: { value: 42, label: label('seed'), validate: numberField({ integer: true }) },
    explain: { value: true },
    persist: { value: true },
    maxSources: {
      value: 10000,
      label: label('maxSources'),
      validate: numberField({ min: 1, max: 1_000_000, integer: true }),
    },
  },
  inputs: 1,
  outputs: 2,
  icon: 'iso-forest.svg',
  label() {
    return this.name || 'iso-forest';
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  outputLabels(index) {
    return this._(index === 0 ? 'iso-forest.output.detected' : 'iso-forest.output.clear');
  },
  oneditprepare() {
    useDialogStyles();
    listToLines('channels', this.channels);
    showWhile('.iso-forest-reference', ['#node-input-learn'], () => fieldValue('learn') !== 'sliding');
    for (const mode of ['auto', 'contamination', 'score']) {
      showWhile(
        `.iso-forest-mode-${mode}`,
        ['#node-input-thresholdMode'],
        () => fieldValue('thresholdMode') === mode,
      );
    }
    const panel = new LivePanel(this);
    foldable('#edge-forest-live-heading', '#edge-forest-live', false, (open) => panel.toggled(open));
    live = panel;
    foldable('#iso-forest-advanced', '#iso-forest-advanced-body');
  },
  oneditresize() {
    live?.resized();
  },
  oneditcancel: stopLive,
  oneditdelete: stopLive,
  oneditsave() {
    stopLive();
    this.channels = linesToList('channels');
  },
});
