import type { Preset } from '../shared/editor/presets';

/** Services that an `edge-http` sends to, and what their documentation asks for. */
export const HTTP_PRESETS: readonly Preset[] = [
  {
    id: 'aws',
    fields: {
      url: 'https://<prefix>-ats.iot.<region>.amazonaws.com:8443/topics/<topic>?qos=1',
      method: 'POST',
      timeout: 30,
    },
  },
  {
    id: 'azure',
    fields: {
      url: 'https://<hub>.azure-devices.net/devices/<device>/messages/events?api-version=2020-03-13',
      method: 'POST',
      timeout: 30,
    },
  },
];
