import type { Preset } from '../shared/editor/presets';

/** Services that an `edge-broker` connects to, and what their documentation asks for. */
export const BROKER_PRESETS: readonly Preset[] = [
  {
    id: 'aws',
    // AWS takes a keep alive below 30 s as 30 s.
    fields: {
      url: 'mqtts://<prefix>-ats.iot.<region>.amazonaws.com:8883',
      protocolVersion: '5',
      keepalive: 30,
      sessionExpiry: 3600,
      shareClientId: true,
    },
  },
  {
    id: 'azure',
    fields: {
      url: 'mqtts://<hub>.azure-devices.net:8883',
      protocolVersion: '4',
      keepalive: 60,
      shareClientId: true,
    },
  },
  {
    id: 'hivemq',
    fields: {
      url: 'mqtts://<cluster>.s1.eu.hivemq.cloud:8883',
      protocolVersion: '5',
      keepalive: 15,
      shareClientId: false,
    },
  },
  {
    id: 'emqx',
    fields: {
      url: 'mqtts://<deployment>.<region>.emqxsl.com:8883',
      protocolVersion: '5',
      keepalive: 15,
      shareClientId: false,
    },
  },
  {
    id: 'nats',
    fields: { url: 'mqtt://<server>:1883', protocolVersion: '4', keepalive: 15, shareClientId: false },
  },
];
