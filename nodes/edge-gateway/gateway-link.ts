import type { MqttClient } from 'mqtt';
import type { Broker } from '../shared/connections';
import { endClient } from '../shared/mqtt-client';
import { troubleOf } from '../shared/trouble';

export interface GatewayLinkOptions {
  broker: Broker;
  nodeId: string;
  telemetryTopic: string;
  /** What the broker publishes when the connection is gone. */
  lastWill: object;
  /** Where documents arrive; undefined where none are taken. */
  desiredTopic?: string;
  connected(): void;
  desired(document: Uint8Array): void;
  warn(text: string): void;
}

/** A gateway's own connection. What cannot be sent now is not sent later: the next report says more. */
export class GatewayLink {
  private readonly client: MqttClient;
  private warned = false;

  constructor(private readonly options: GatewayLinkOptions) {
    const { broker, nodeId, telemetryTopic, lastWill, desiredTopic } = options;
    this.client = broker.connect({
      nodeId,
      mqtt: {
        will: {
          topic: telemetryTopic,
          payload: Buffer.from(JSON.stringify(lastWill)),
          qos: 1,
          retain: false,
        },
        clean: true,
        properties: { sessionExpiryInterval: 0 },
      },
    });
    this.client.on('error', (error) => this.warnOnce(`${broker.name}: ${troubleOf(error).reason}.`));
    this.client.on('connect', () => {
      this.warned = false;
      if (desiredTopic !== undefined) {
        this.client.subscribe(desiredTopic, { qos: 1 }, (error) => {
          if (error) {
            this.warnOnce(`${broker.name}: ${desiredTopic} cannot be subscribed to: ${error.message}`);
          }
        });
      }
      options.connected();
    });
    this.client.on('message', (_topic, payload) => {
      // An empty retained message is how a document is taken away; what is in force stays.
      if (payload.length > 0) {
        options.desired(payload);
      }
    });
  }

  publish(topic: string, message: object, retain = false): void {
    if (this.client.connected) {
      this.client.publish(topic, JSON.stringify(message), { qos: 1, retain }, (error) => {
        if (error && this.client.connected) {
          this.warnOnce(`${this.options.broker.name}: ${error.message}`);
        }
      });
    }
  }

  async close(): Promise<void> {
    this.publish(this.options.telemetryTopic, this.options.lastWill);
    await endClient(this.client);
  }

  private warnOnce(text: string): void {
    if (!this.warned) {
      this.warned = true;
      this.options.warn(text);
    }
  }
}
