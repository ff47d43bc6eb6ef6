import { EdgeError } from '../../shared/errors';

/** Longest text that a pattern is tried on; longer ones do not match. */
const MAX_TEXT = 1024;
/** `{n,m}` up to this many times counts as bounded. */
const FEW = 16;

interface Tester {
  test(text: string): boolean;
}

/**
 * Makes the regular expressions of a schema. A pattern whose repetitions are nested, or that repeats alternatives, can
 * take exponential time on a text that a stranger chose, and nothing can interrupt it: such a pattern is refused.
 *
 * @throws EdgeError `CONFIG`
 */
export function boundedPattern(pattern: string, flags: string): Tester & { toString(): string } {
  const expression = new RegExp(pattern, flags);
  if (isExplosive(pattern)) {
    throw new EdgeError(
      'CONFIG',
      `Property "schema" has the pattern "${pattern}", which repeats a group that itself repeats or has alternatives: some texts would hold up the gateway for minutes. Use character classes such as [a-z0-9-]+ instead.`,
      { property: 'schema' },
    );
  }
  return {
    test: (text) => text.length <= MAX_TEXT && expression.test(text),
    toString: () => expression.toString(),
  };
}
boundedPattern.code = 'boundedPattern';

/** Whether a pattern repeats, without a small bound, a group with a repetition or an alternative in it. */
function isExplosive(pattern: string): boolean {
  const groups: { risky: boolean }[] = [{ risky: false }];
  let closed: { risky: boolean } | undefined;
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i];
    const repeats = char === '*' || char === '+' || (char === '{' && !isSmallBound(pattern.slice(i)));
    if (repeats) {
      if (closed?.risky) {
        return true;
      }
      groups[groups.length - 1].risky = true;
    }
    closed = undefined;
    if (char === '\\') {
      i++;
    } else if (char === '[') {
      i = endOfClass(pattern, i);
    } else if (char === '(') {
      groups.push({ risky: false });
    } else if (char === '|') {
      groups[groups.length - 1].risky = true;
    } else if (char === ')' && groups.length > 1) {
      closed = groups.pop();
      if (closed?.risky) {
        groups[groups.length - 1].risky = true;
      }
    }
  }
  return false;
}

function isSmallBound(rest: string): boolean {
  const match = /^\{(\d+)(?:,(\d*))?\}/.exec(rest);
  if (!match) {
    return true;
  }
  const [, from, to = from] = match;
  return to !== '' && Number(to) <= FEW;
}

function endOfClass(pattern: string, start: number): number {
  for (let i = start + 1; i < pattern.length; i++) {
    if (pattern[i] === '\\') {
      i++;
    } else if (pattern[i] === ']') {
      return i;
    }
  }
  return pattern.length;
}
