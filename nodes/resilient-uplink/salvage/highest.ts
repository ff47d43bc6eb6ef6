/** Numbers that lie further above what is certain are taken for flipped bits, unless two sources agree. */
const MOST_UNSEEN = 1_000_000;

/**
 * The highest sequence that a damaged store has given.
 *
 * @param certain sequences that a checksum vouches for
 * @param claimed sequences that nothing vouches for
 */
export function highestOf(certain: readonly number[], claimed: readonly number[]): number {
  let highest = Math.max(0, ...certain);
  const claims = claimed.filter((claim) => Number.isSafeInteger(claim)).sort((one, other) => one - other);
  claims.forEach((claim, index) => {
    if (claim > highest && (claim - highest <= MOST_UNSEEN || claims[index + 1] === claim)) {
      highest = claim;
    }
  });
  return highest;
}
