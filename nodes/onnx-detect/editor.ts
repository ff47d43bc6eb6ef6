import { asEntered } from '../shared/editor/form-values';
import { CATEGORY, COLORS, foldable, linesToList, listToLines } from '../shared/editor/forms';
import { useDialogStyles } from '../shared/editor/styles';
import { complaint, fieldLabels, numberField, requiredField } from '../shared/editor/validators';
import { enteredProviders } from './editor/entered';
import { FeatureHint } from './editor/feature-hint';
import { InspectPanel } from './editor/inspect-panel';
import { ModelFields } from './editor/model-field';
import { TryPanel } from './editor/try-panel';

const TEXTS = '@millwright/node-red-edge/onnx-detect:onnx-detect';
const label = fieldLabels('onnx-detect');

/** What is at work in the dialog that is open. */
let opened: { stop(): void }[] = [];

function stopAll(): void {
  opened.forEach((part) => part.stop());
  opened = [];
}

const count = (max: number): Validator => numberField({ min: 1, max, integer: true });

/** Votes can only come from the readings that are counted. */
const votesField: Validator = function (value, options) {
  const window = Number(asEntered(this).voteWindow);
  return Number(value) > window
    ? complaint('max', { label: options.label ?? '', max: window })
    : count(1000).call(this, value, options);
};

const digestField: Validator = function (value, options) {
  const valid = !value || (typeof value === 'string' && /^([0-9a-f]{64}|\$\{[^}]+\})$/i.test(value.trim()));
  return valid || RED._(`${TEXTS}.invalid.digest`, { label: options.label ?? '' });
};

RED.nodes.registerType('onnx-detect', {
  category: CATEGORY,
  color: COLORS.known,
  icon: 'onnx-detect.svg',
  inputs: 1,
  outputs: 2,
  defaults: {
    name: { value: '' },
    model: { value: 'builtin:cnc-failure', required: true, label: label('model'), validate: requiredField() },
    digest: { value: '', label: label('digest'), validate: digestField },
    features: { value: [] },
    task: { value: 'auto' },
    output: { value: '' },
    positive: { value: '' },
    threshold: { value: '', label: label('threshold'), validate: numberField({ optional: true }) },
    votes: { value: 1, label: label('votes'), validate: votesField },
    voteWindow: { value: 1, label: label('voteWindow'), validate: count(1000) },
    holdOff: { value: 0, label: label('holdOff'), validate: numberField({ min: 0 }) },
    missing: { value: 'reject' },
    batchSize: { value: 64, label: label('batchSize'), validate: count(4096) },
    batchDelayMs: { value: 0, label: label('batchDelayMs'), validate: numberField({ min: 0, max: 60_000 }) },
    queueLimit: { value: 10_000, label: label('queueLimit'), validate: count(1_000_000) },
    overload: { value: 'reject' },
    providers: { value: ['cpu'] },
    shadow: { value: '' },
  },
  label() {
    return this.name || (typeof this.model === 'string' && this.model) || 'onnx-detect';
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  outputLabels(index) {
    return this._(`onnx-detect.output.${index === 0 ? 'detected' : 'clear'}`);
  },
  oneditprepare() {
    useDialogStyles();
    listToLines('features', this.features);
    $('#node-input-providers-line').val(Array.isArray(this.providers) ? this.providers.join(', ') : '');
    foldable('#edge-onnx-advanced-heading', '#edge-onnx-advanced');
    foldable('#edge-onnx-try-heading', '#edge-onnx-try-section');
    const translate = (key: string, parameters?: Record<string, unknown>): string =>
      this._(`onnx-detect.${key}`, parameters);
    const fields = new ModelFields(translate);
    fields.attach('#node-input-model', '#edge-onnx-choose-model');
    fields.attach('#node-input-shadow', '#edge-onnx-choose-shadow');
    const hint = new FeatureHint(translate);
    const trial = new TryPanel(this, translate);
    const inspection = new InspectPanel(this, translate, (model) => {
      hint.about(model);
      trial.about(model);
    });
    opened = [fields, trial, inspection];
  },
  oneditcancel: stopAll,
  oneditdelete: stopAll,
  oneditsave() {
    stopAll();
    this.features = linesToList('features');
    this.providers = enteredProviders();
  },
});
