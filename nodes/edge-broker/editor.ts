import { offerPresets } from '../shared/editor/presets';
import { useDialogStyles } from '../shared/editor/styles';
import { fieldLabels, numberField, patternField, requiredField } from '../shared/editor/validators';
import { BROKER_PRESETS } from './presets';

const label = fieldLabels('edge-broker');
/** With angle brackets it is a preset that was not filled in. */
const ADDRESS = String.raw`(mqtts?|wss?)://[^\s,@<>]+`;
const UNSET = 'mqtt://localhost:1883';

RED.nodes.registerType('edge-broker', {
  category: 'config',
  defaults: {
    name: { value: '' },
    url: {
      value: UNSET,
      required: true,
      label: label('url'),
      validate: patternField(new RegExp(`^${ADDRESS}(\\s*,\\s*${ADDRESS})*$`), 'brokerUrl'),
    },
    clientId: {
      value: '',
      label: label('clientId'),
      validate: requiredField((node) => node.shareClientId === true),
    },
    protocolVersion: { value: '5' },
    keepalive: {
      value: 15,
      label: label('keepalive'),
      validate: numberField({ min: 0, max: 65535, integer: true }),
    },
    cleanStart: { value: false },
    sessionExpiry: {
      value: 86400,
      label: label('sessionExpiry'),
      validate: numberField({ min: 0, max: 4294967295, integer: true }),
    },
    tls: { value: '', type: 'tls-config', required: false },
    shareClientId: { value: false },
  },
  credentials: {
    username: { type: 'text' },
    password: { type: 'password' },
    deviceKey: { type: 'password' },
  },
  label() {
    return this.name || (typeof this.url === 'string' ? this.url : '');
  },
  oneditprepare() {
    useDialogStyles();
    offerPresets('edge-broker', BROKER_PRESETS, UNSET, (key) => this._(key));
  },
});
