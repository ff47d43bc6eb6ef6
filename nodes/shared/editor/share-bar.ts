/** A share of 0 to 1 as a bar; `named` with the percentage beside it. */
export function shareBar(share: number, named = false): JQuery {
  const percent = `${Math.round(100 * share)} %`;
  const bar = $('<div>', { class: 'edge-share' }).append(
    $('<div>').css({ width: `${Math.min(100, Math.max(0, 100 * share))}%` }),
  );
  return named ? $('<div>', { class: 'edge-shared' }).append(bar, $('<span>').text(percent)) : bar;
}
