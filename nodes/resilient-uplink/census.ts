import type { Lane } from './lane';
import type { Outbox } from './outbox-port';

/** Few enough that the store's thread is soon free for what is appended meanwhile. */
const PAGE_ROWS = 2000;

/**
 * Tells the lanes whose messages an earlier run left in the store, page by page in the background. When the store
 * refuses, new messages wait until their lane has come past everything old.
 */
export async function takeCensus(
  outbox: Pick<Outbox, 'topics'>,
  lanes: readonly Lane[],
  isStopped: () => boolean,
): Promise<void> {
  if (!outbox.topics) {
    return;
  }
  for (let after = 0; !isStopped();) {
    const page = await outbox.topics({ after, maxRows: PAGE_ROWS });
    for (const { priority, topic, last } of page.topics) {
      lanes[priority].unheld.note(topic, last);
    }
    if (!page.more) {
      lanes.forEach((lane) => lane.unheld.complete());
      return;
    }
    after = page.last;
  }
}
