import { foldable } from '../shared/editor/forms';
import { useDialogStyles } from '../shared/editor/styles';
import { fieldLabels, numberField, requiredField } from '../shared/editor/validators';

const label = fieldLabels('edge-gateway');
const isRemote = (node: EditorNode): boolean => node.remote === true;

RED.nodes.registerType('edge-gateway', {
  category: 'config',
  defaults: {
    name: { value: '' },
    gatewayId: { value: '' },
    site: { value: '' },
    dataDir: { value: '' },
    telemetryBroker: {
      value: '',
      type: 'edge-broker',
      required: false,
      label: label('telemetryBroker'),
      validate: requiredField(isRemote),
    },
    telemetryTopic: { value: 'edge/gateway/{gateway}/telemetry', label: label('telemetryTopic') },
    telemetryInterval: {
      value: 30,
      label: label('telemetryInterval'),
      validate: numberField({ min: 1, max: 86400, optional: true }),
    },
    remote: { value: false },
    remoteTopic: { value: 'edge/gateway/{gateway}/config', label: label('remoteTopic') },
    remoteKey: { value: '', label: label('remoteKey'), validate: requiredField(isRemote) },
  },
  label() {
    const id = typeof this.gatewayId === 'string' ? this.gatewayId : '';
    return this.name || id || this._('edge-gateway.label.unnamed');
  },
  oneditprepare() {
    useDialogStyles();
    foldable('#gateway-telemetry-heading', '#gateway-telemetry', Boolean(this.telemetryBroker));
    foldable('#gateway-remote-heading', '#gateway-remote', isRemote(this));
  },
});
