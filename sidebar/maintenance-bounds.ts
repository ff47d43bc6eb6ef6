/** The longest maintenance that can be begun in the sidebar, in ms: a week. */
export const LONGEST_MS = 7 * 86_400_000;

/** What can be chosen for a maintenance. */
export interface HeardSources {
  sources: string[];
  /** Whether there are others that are not listed. */
  more: boolean;
}
