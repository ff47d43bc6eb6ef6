import { connectAsync, type MqttClient } from 'mqtt';
import { messagesIn } from '../../scripts/demo/cloud-messages';
import type { Detection, Reading } from '../../nodes/shared/messages';
import { now } from './protocol';

/** What content `message` of the uplink holds. */
interface Delivered {
  id: string;
  topic: string;
  payload: Record<string, number>;
  reading?: Reading;
  detection?: Detection;
}

export interface Alert {
  /** When it reached the cloud, and the event time of the reading that raised it; ms since the epoch. */
  at: number;
  ts: number;
  seq: number;
  source: string;
  detector: string;
  kind: string;
  phase: string;
  /** From receiving the reading in the detector to its verdict. */
  latencyMs: number;
}

export type Kind = 'reduced' | 'telemetryAlerts' | 'waveAlerts';

/** Everything that reaches the cloud's broker, counted as PUBLISH packets and looked into. */
export class Cloud {
  readonly bytes: Record<Kind, number> = { reduced: 0, telemetryAlerts: 0, waveAlerts: 0 };
  readonly messages: Record<Kind, number> = { reduced: 0, telemetryAlerts: 0, waveAlerts: 0 };
  readonly alerts: Alert[] = [];
  /** The reduced stream of sources that are asked for, in order of arrival. */
  readonly points = new Map<string, { ts: number; payload: Record<string, number> }[]>();
  /** Ids that came more than once. */
  duplicates = 0;
  private readonly ids = new Set<string>();

  private constructor(
    private readonly client: MqttClient,
    private readonly alerted: (alert: Alert) => void,
  ) {
    client.on('message', (_topic, body, packet) => this.take(body, 2 + (packet.length ?? 0)));
  }

  static async open(url: string, alerted: (alert: Alert) => void): Promise<Cloud> {
    const client = await connectAsync(url, { clientId: 'factory-cloud', protocolVersion: 5 });
    const cloud = new Cloud(client, alerted);
    await client.subscribeAsync('cloud/#', { qos: 1 });
    return cloud;
  }

  /** Different messages so far. */
  get received(): number {
    return this.ids.size;
  }

  /** Keeps the reduced stream of a source. */
  follow(source: string): void {
    this.points.set(source, []);
  }

  async close(): Promise<void> {
    await this.client.endAsync(true);
  }

  private take(body: Buffer, bytes: number): void {
    const at = now();
    const delivered = messagesIn<Delivered>(body);
    this.bytes[kindOf(delivered[0])] += bytes;
    for (const message of delivered) {
      this.messages[kindOf(message)]++;
      if (this.ids.has(message.id)) {
        this.duplicates++;
      } else {
        this.ids.add(message.id);
        this.look(message, at);
      }
    }
  }

  private look({ topic, payload, reading, detection }: Delivered, at: number): void {
    if (detection && reading) {
      const alert: Alert = {
        at,
        ts: detection.ts,
        seq: reading.seq,
        source: detection.source,
        detector: detection.detector,
        kind: detection.kind ?? '',
        phase: detection.episode?.phase ?? '',
        latencyMs: detection.latencyMs,
      };
      this.alerts.push(alert);
      this.alerted(alert);
    } else if (reading) {
      this.points.get(topic)?.push({ ts: reading.ts, payload });
    }
  }
}

function kindOf({ detection }: Delivered): Kind {
  if (!detection) {
    return 'reduced';
  }
  return detection.source.endsWith('/vibration') ? 'waveAlerts' : 'telemetryAlerts';
}
