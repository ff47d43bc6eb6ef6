import { ConfigReader } from '../shared/config-reader';

/** Properties of an `edge-gateway`. */
export interface GatewayConfig {
  name: string;
  /** Empty = a UUID made once and kept in the data folder. */
  gatewayId: string;
  site: string;
  /** Empty = `<userDir>/edge`. */
  dataDir: string;
  /** Whether the flow file asks for telemetry, which this version does not publish. */
  wantsTelemetry: boolean;
}

export function parseGatewayConfig(raw: unknown): GatewayConfig {
  const config = new ConfigReader(raw);
  return {
    name: config.text('name'),
    gatewayId: config.text('gatewayId'),
    site: config.text('site'),
    dataDir: config.text('dataDir'),
    wantsTelemetry: config.text('telemetryBroker') !== '',
  };
}
