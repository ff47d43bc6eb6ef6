import { offer, valueOf } from '../../shared/editor/forms';
import type { Encoding, Recording, Sample } from '../preview/result';

const PAYLOAD = '#edge-ingest-sample';
const ENCODING = '#edge-ingest-encoding';
const TOPIC = '#edge-ingest-sample-topic';
const TOPICS = '#edge-ingest-topics';

/** The sample that was pasted; undefined while there is none. */
export function pastedSample(): Omit<Sample, 'at'> | undefined {
  const payload = valueOf(PAYLOAD);
  return payload.trim() === ''
    ? undefined
    : { topic: valueOf(TOPIC), encoding: valueOf(ENCODING) as Encoding, payload };
}

/** Shows a message that the node received, unless somebody is at work in the field. */
export function showSample(sample: Sample | undefined): void {
  if (!$(PAYLOAD).is(':focus')) {
    const { encoding, text } = sample ? readable(sample) : { encoding: 'text', text: '' };
    if (text !== valueOf(PAYLOAD)) {
      $(PAYLOAD).val(text);
    }
    $(ENCODING).val(encoding);
  }
}

/** Offers the topics that the node has heard, with the recorded one chosen. */
export function offerTopics({ topic, topics }: Pick<Recording, 'topic' | 'topics'>, unnamed: string): void {
  offer(
    $(TOPICS),
    [...topics].sort().map((name) => [name, name === '' ? unnamed : name]),
    topic ?? '',
  );
}

/** Switches between the topic as a field, for a pasted sample, and as a choice of what the node has heard. */
export function showTopic(recorded: boolean): void {
  if (!recorded && $(TOPICS).is(':visible')) {
    $(TOPIC).val(valueOf(TOPICS));
  }
  $(TOPIC).toggle(!recorded);
  $(TOPICS).toggle(recorded);
  $(ENCODING).prop('disabled', recorded);
}

/** Bytes are shown as the text that they are, where they are one. */
function readable({ encoding, payload }: Sample): { encoding: Encoding; text: string } {
  if (encoding === 'base64') {
    try {
      const bytes = Uint8Array.from(atob(payload), (char) => char.charCodeAt(0));
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
      // eslint-disable-next-line no-control-regex -- bytes that no text has
      return /[\x00-\x08\x0e-\x1f\x7f]/.test(text) ? { encoding, text: payload } : { encoding: 'text', text };
    } catch {
      return { encoding, text: payload };
    }
  }
  return { encoding: encoding === 'json' ? 'text' : encoding, text: payload };
}
