import type { Outcome } from '../nodes/sensor-ingest/acceptance';
import { Deadband } from '../nodes/sensor-ingest/reduce/deadband';
import type { Reducer } from '../nodes/sensor-ingest/reduce/reducer';
import { SwingingDoor } from '../nodes/sensor-ingest/reduce/swinging-door';
import { ValueBudget } from '../nodes/sensor-ingest/value-budget';
import { HEARTBEAT_MS, ofObservedSpan, type ChannelSpan, type SettingResult } from './reduction';

/** A channel with the share of its points that has to be kept when it is reduced by itself. */
export interface ChannelShare extends ChannelSpan {
  share: number;
}

const MOST_CHANNELS = 40;
const BUDGET = 1_000_000;

/**
 * What each channel of one source would need by itself: which of them take the others along.
 *
 * @param rows readings of the source, in order
 */
export function channelShares(
  rows: readonly Outcome[],
  channels: readonly ChannelSpan[],
  { kind, tolerance }: Pick<SettingResult, 'kind' | 'tolerance'>,
): ChannelShare[] {
  const options = { kind, tolerance: ofObservedSpan(tolerance, channels), heartbeatMs: HEARTBEAT_MS };
  const makeReducer = (): Reducer =>
    kind === 'deadband' ? new Deadband(options) : new SwingingDoor(options, new ValueBudget(BUDGET));
  return channels
    .slice(0, MOST_CHANNELS)
    .map((channel) => ({ ...channel, share: shareOf(channel.name, rows, makeReducer()) }))
    .filter(({ share }) => !Number.isNaN(share))
    .sort((one, other) => other.share - one.share);
}

/** NaN for a channel that the source does not have. */
function shareOf(name: string, rows: readonly Outcome[], reducer: Reducer): number {
  let taken = 0;
  let kept = 0;
  let newest = -Infinity;
  for (const { payload, reading } of rows) {
    if (Object.hasOwn(payload, name)) {
      taken++;
      kept += reducer.push({
        ...{ payload: { [name]: payload[name] }, reading },
        late: reading.ts < newest,
      }).length;
      newest = Math.max(newest, reading.ts);
    }
  }
  return (kept + reducer.flush().length) / taken;
}
