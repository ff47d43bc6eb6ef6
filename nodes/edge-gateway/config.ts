import type { KeyObject } from 'node:crypto';
import { ConfigReader, invalidProperty } from '../shared/config-reader';
import { isPublishableTopic } from '../shared/topic';
import { parsePublicKey } from './remote/document';

/** Properties of an `edge-gateway`. */
export interface GatewayConfig {
  name: string;
  /** Empty = a UUID made once and kept in the data folder. */
  gatewayId: string;
  site: string;
  /** Empty = `<userDir>/edge`. */
  dataDir: string;
  /** Undefined where nothing is published and nothing is taken. */
  telemetry: TelemetryConfig | undefined;
}

export interface TelemetryConfig {
  /** Id of an `edge-broker`. */
  broker: string;
  /** Template with `{gateway}` and `{site}`. */
  topic: string;
  intervalMs: number;
  remote: RemoteConfig | undefined;
}

/** How documents are taken that configure nodes from remote. */
export interface RemoteConfig {
  /** Template with `{gateway}` and `{site}`; `<topic>/desired` is listened to, `<topic>/reported` answered on. */
  topic: string;
  publicKey: KeyObject;
}

const DEFAULT_TOPIC = 'edge/gateway/{gateway}/telemetry';
const DEFAULT_REMOTE_TOPIC = 'edge/gateway/{gateway}/config';

export function parseGatewayConfig(raw: unknown): GatewayConfig {
  const config = new ConfigReader(raw);
  return {
    name: config.text('name'),
    gatewayId: config.text('gatewayId'),
    site: config.text('site'),
    dataDir: config.text('dataDir'),
    telemetry: parseTelemetry(config),
  };
}

function parseTelemetry(config: ConfigReader): TelemetryConfig | undefined {
  const broker = config.text('telemetryBroker');
  const telemetry = {
    broker,
    topic: topicTemplate(config, 'telemetryTopic', DEFAULT_TOPIC),
    intervalMs: config.number('telemetryInterval', 30, { min: 1, max: 86_400 }) * 1000,
    remote: parseRemote(config),
  };
  if (broker === '' && telemetry.remote) {
    throw invalidProperty(
      'telemetryBroker',
      'must name the edge-broker that remote configuration comes from',
    );
  }
  return broker === '' ? undefined : telemetry;
}

function parseRemote(config: ConfigReader): RemoteConfig | undefined {
  if (!config.flag('remote', false)) {
    return undefined;
  }
  return {
    topic: topicTemplate(config, 'remoteTopic', DEFAULT_REMOTE_TOPIC),
    publicKey: parsePublicKey(config.text('remoteKey')),
  };
}

function topicTemplate(config: ConfigReader, name: string, fallback: string): string {
  const topic = config.text(name, fallback);
  if (!isPublishableTopic(topic) || /\{(?!(gateway|site)\})/.test(topic)) {
    throw invalidProperty(name, 'must be a topic without wildcards; {gateway} and {site} are filled in');
  }
  return topic;
}
