/** A dead letter as the endpoint lists it. */
export interface ListedLetter {
  id: string;
  topic: string;
  reason: string;
  connection: string;
  when: number;
  size: number;
  preview?: string;
}

export interface LetterPage {
  messages: number;
  bytes: number;
  deadLetters: ListedLetter[];
  next?: number;
}

/** Downloads all dead letters with their bodies, as a JSON array; gives how many there were. */
export async function exportDeadLetters(url: string, id: string): Promise<number> {
  const parts: string[] = [];
  let after: number | undefined;
  do {
    const page = (await $.ajax({
      url: `${url}/dead-letters`,
      data: { bodies: true, ...(after !== undefined && { after }) },
    })) as LetterPage;
    parts.push(...page.deadLetters.map((letter) => JSON.stringify(letter)));
    after = page.next;
  } while (after !== undefined);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([`[${parts.join(',\n')}]\n`], { type: 'application/json' }));
  link.download = `dead-letters-${id}.json`;
  link.click();
  // The download has begun by then.
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  return parts.length;
}
