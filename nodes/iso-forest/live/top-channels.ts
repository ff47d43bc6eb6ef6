import type { Contribution } from '../../shared/messages';
import type { TopChannel } from './result';

const MOST_SHOWN = 8;

/** The channels with the largest part in flagged readings, which come oldest first. */
export function topChannels(explained: readonly (readonly Contribution[])[]): TopChannel[] {
  const channels = new Map<string, TopChannel>();
  for (const contributions of explained) {
    for (const { channel, share, value, expected } of contributions) {
      const sum = (channels.get(channel)?.share ?? 0) + share;
      channels.set(channel, {
        channel,
        share: sum,
        value: Number.isNaN(value) ? null : value,
        expected: expected ?? null,
      });
    }
  }
  return [...channels.values()]
    .map((channel) => ({ ...channel, share: channel.share / explained.length }))
    .sort((a, b) => b.share - a.share)
    .slice(0, MOST_SHOWN);
}
