/** What is wrong with a store that was opened, as far as it could be found out. */
export interface StoreLoss {
  /** `damaged`: by the medium · `removed`, `replaced`, `restored`: somebody took the file, put another or an older one there. */
  cause: 'damaged' | 'removed' | 'replaced' | 'restored';
  /** Messages that are lost; of a store that was removed or replaced those that it held when that was last written down. */
  count: number;
  /** Where the damaged file lies. */
  file?: string;
  /** What was read out of it. */
  salvaged?: { messages: number; deadLetters: number };
  deadLettersLost?: number;
  /** Messages whose end is not known any more. */
  unrecorded?: number;
  /** The store's identity is not known any more: salvaged messages have other ids than before. */
  newIds?: true;
  /** The disk had no room for the rest. */
  incomplete?: true;
  /** Files of earlier damages that were deleted. */
  deleted?: string[];
  /** The store that is not there any more, and the last sequence that is known of it. */
  store?: string;
  sequence?: number;
}

/** A loss in words. */
export function lossText(loss: StoreLoss, path: string): string {
  return [...sentencesOn(loss, path)].join(' ');
}

function* sentencesOn(loss: StoreLoss, path: string): Generator<string> {
  const { cause, count, file = '', store = '', sequence = 0 } = loss;
  switch (cause) {
    case 'damaged':
      yield* sentencesOnDamage(loss, file);
      return;
    case 'restored':
      yield `The outbox ${path} is older than it was: an earlier copy was put in its place, or its log was lost. ${count} messages that were accepted since are not in it; those that were delivered since are sent again.`;
      yield 'New messages get higher numbers than any that was given.';
      return;
    case 'removed':
    case 'replaced':
      yield `The outbox ${path} was ${cause}. Of store ${store}, which is not there any more, ${sequence} messages were accepted and ${count} were still to be delivered when that was last written down.`;
      yield 'Put the file back while the node is stopped if you have it.';
  }
}

function* sentencesOnDamage(loss: StoreLoss, file: string): Generator<string> {
  const { count, salvaged, deadLettersLost = 0, unrecorded = 0, deleted = [] } = loss;
  yield `The outbox was damaged by the medium and was set aside as ${file}. ${salvaged?.messages ?? 0} messages were salvaged, ${count} are lost or their end is not known.`;
  if (unrecorded > 0) {
    yield `What became of ${unrecorded} messages before is not known any more.`;
  }
  if (deadLettersLost > 0) {
    yield `${deadLettersLost} dead letters are lost.`;
  }
  if (loss.newIds) {
    yield "The store's identity could not be read: the salvaged messages have new ids.";
  }
  if (loss.incomplete) {
    yield 'The disk had no room for all of it: keep the file, it holds messages that are nowhere else.';
  }
  if (deleted.length > 0) {
    yield `Files of earlier damages were deleted to bound their number: ${deleted.join(', ')}. What had not been salvaged from them is gone.`;
  }
  yield 'Check the disk.';
}
