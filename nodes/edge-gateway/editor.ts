RED.nodes.registerType('edge-gateway', {
  category: 'config',
  defaults: {
    name: { value: '' },
    gatewayId: { value: '' },
    site: { value: '' },
    dataDir: { value: '' },
    telemetryBroker: { value: '' },
    telemetryTopic: { value: 'edge/gateway/{gateway}/telemetry' },
    telemetryInterval: { value: 30 },
  },
  label() {
    const id = typeof this.gatewayId === 'string' ? this.gatewayId : '';
    return this.name || id || this._('edge-gateway.label.unnamed');
  },
});
