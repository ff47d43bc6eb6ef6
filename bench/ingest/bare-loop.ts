/**
 * The floor: MQTT.js and the features of each window in a bare loop, with nothing else between the socket and the
 * numbers. A process of its own that counts over IPC.
 */
import { connect } from 'mqtt';
import { FeatureExtractor, featureKeys, parseFeature } from '../../nodes/sensor-ingest/features/features';

interface LoopOptions {
  url: string;
  sampleRate: number;
  features: string[];
  qos: 0 | 1;
}

const { url, sampleRate, features: names, qos } = JSON.parse(process.argv[2]) as LoopOptions;
const features = names.map(parseFeature);
const extractor = new FeatureExtractor(features, sampleRate);
const keys = featureKeys('value', features);
let scratch = new Float64Array(0);
let count = 0;

const client = connect(url, { clientId: 'bare-loop', protocolVersion: 5 });
client.on('message', (_topic, payload) => {
  const samples = new Float32Array(
    payload.buffer.slice(payload.byteOffset, payload.byteOffset + payload.length),
  );
  if (scratch.length !== samples.length) {
    scratch = new Float64Array(samples.length);
  }
  scratch.set(samples);
  extractor.compute(scratch, samples.length, keys, {});
  count++;
});
client.on('error', (error) => {
  console.error(error);
  process.exit(1);
});
client.subscribe('plant1/#', { qos }, () => process.send?.({ ready: true }));
setInterval(() => process.send?.({ count }), 10);
process.on('disconnect', () => process.exit(0));
