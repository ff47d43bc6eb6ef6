import { SeededRandom } from '../../nodes/shared/random';

export const TOPICS = 7;

/** Message `number` of a campaign: both sides make it, so that the oracle knows every byte that may arrive. */
export function campaignMessage(
  seed: number,
  prefix: string,
  number: number,
): { topic: string; text: string } {
  const random = new SeededRandom(seed, number);
  const length = random.next() < 0.02 ? random.int(20_000) : random.int(300);
  const filling = Math.floor(random.next() * 2 ** 32).toString(16);
  return {
    topic: `${prefix}/${number % TOPICS}`,
    text: `${number} ${filling.repeat(1 + length / filling.length)}`,
  };
}
