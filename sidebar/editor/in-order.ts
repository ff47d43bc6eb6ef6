/**
 * Makes a list hold exactly these elements, in this order. What is in its place already is not touched: moved or drawn
 * anew, it would lose the focus, and a button would be gone under a finger.
 */
export function keepInOrder(list: JQuery, wanted: readonly JQuery[]): void {
  list
    .children()
    .not(wanted.map((entry) => entry[0]))
    .remove();
  wanted.forEach((entry, index) => {
    const there = list.children().eq(index);
    if (there.length === 0) {
      list.append(entry);
    } else if (there[0] !== entry[0]) {
      there.before(entry);
    }
  });
}
