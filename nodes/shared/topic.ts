/**
 * Whether an MQTT topic matches a filter with `+` and `#` (MQTT 5, section 4.7); as there, a filter that begins
 * with a wildcard matches no topic that begins with `$`.
 */
export function topicMatches(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && (filter.startsWith('+') || filter.startsWith('#'))) {
    return false;
  }
  const levels = topic.split('/');
  const parts = filter.split('/');
  for (let i = 0; i < parts.length; i++) {
    if (parts[i] === '#') {
      return true;
    }
    if (i >= levels.length || (parts[i] !== '+' && parts[i] !== levels[i])) {
      return false;
    }
  }
  return parts.length === levels.length;
}

/** Whether a name may be published to: not empty, no wildcard, no null character, at most 65,535 bytes of UTF-8. */
export function isPublishableTopic(topic: string): boolean {
  return (
    topic.length > 0 && !/[+#]/.test(topic) && !topic.includes('\u0000') && Buffer.byteLength(topic) <= 65535
  );
}

/** Whether a filter may be subscribed to (MQTT 5, section 4.7.1). */
export function isTopicFilter(filter: string): boolean {
  if (filter.length === 0 || filter.includes('\u0000') || Buffer.byteLength(filter) > 65535) {
    return false;
  }
  const parts = filter.split('/');
  return parts.every(
    (part, index) =>
      part === '+' ||
      (part === '#' ? index === parts.length - 1 : !part.includes('+') && !part.includes('#')),
  );
}
