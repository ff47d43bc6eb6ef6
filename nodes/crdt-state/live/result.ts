import type { Strategy } from '../merge';

/** What the dialog of a running node shows. */
export interface StateAnswer {
  replica: string;
  /** Keys that have a value. */
  keys: number;
  /** Keys whose last write here some peer has not acknowledged. */
  pending: number;
  peers: PeerView[];
  /** More peers than are listed. */
  morePeers: number;
  page: KeyView[];
  /** Whether there may be more keys that match than the page has. */
  more: boolean;
}

export interface PeerView {
  gateway: string;
  present: boolean;
  /** Ms since it was heard last; null when it was not. */
  silentMs: number | null;
  /** Writes that it is not known to have. */
  lacks: number;
  /** Writes that it has and this gateway lacks. */
  ahead: number;
  /** Merges by another strategy or other rules. */
  disagrees: boolean;
}

export interface KeyView {
  key: string;
  strategy: Strategy;
  /** JSON, shortened. */
  value: string;
  /** Concurrent values, when there are several. */
  siblings: { value: string; gateway: string; ts: number }[];
}
