import type { SampleMessage } from './sample';

/** What a field looks like. */
export type Kind = 'name' | 'email' | 'phone' | 'person-id' | 'location' | 'birth' | 'address';

/** A field that looks like personal data. No value of it is kept: a report is passed on. */
export interface PersonalField {
  /** As `drop` and `hash` of `resilient-uplink` take it, such as `payload.operator`; `topic` for a level of topics. */
  path: string;
  kind: Kind;
  /** Whether the field's name or its values gave it away. */
  because: 'name' | 'value';
  /** In so many messages. */
  messages: number;
  suggestion: 'drop' | 'hash';
}

/** What field names are looked for, as words of a name such as `operatorName` or `badge_id`. */
export const NAME_RULES: readonly { kind: Kind; words: RegExp }[] = [
  { kind: 'email', words: /^(e mail|email|mail)( address)?$|(^| )e ?mail( |$)/ },
  { kind: 'phone', words: /(^| )(phone|mobile|telephone|tel|cell ?phone)( no| number)?$/ },
  {
    kind: 'person-id',
    words:
      /(^| )(badge|rfid|personnel|employee|staff|operator|worker|driver|user|person)( ?(id|no|nr|number|code|card))$|(^| )(badge|ssn|passport|personnel number|login|user ?name)$/,
  },
  {
    kind: 'name',
    words:
      /(^| )(operator|worker|employee|driver|technician|shift leader|supervisor|user|person|customer|patient|owner)( name)?$|(^| )(first|last|full|given|family|sur) ?name$/,
  },
  { kind: 'location', words: /(^| )(gps|lat|latitude|lon|lng|longitude|geo ?location|geo)( |$)/ },
  { kind: 'birth', words: /(^| )(birth|birth ?date|birthday|date of birth|dob)( |$)/ },
  { kind: 'address', words: /(^| )(street|postal ?code|zip ?code|home address|ip address|ip)$/ },
];

/** What text values are looked for. */
export const VALUE_RULES: readonly { kind: Kind; shape: RegExp }[] = [
  { kind: 'email', shape: /^[^\s@]+@[^\s@]+\.[a-z]{2,}$/i },
  { kind: 'phone', shape: /^\+\d[\d ()/-]{7,18}\d$/ },
  { kind: 'location', shape: /^-?\d{1,2}\.\d{4,},\s*-?\d{1,3}\.\d{4,}$/ },
];

/** Ids are wanted to tell one from another, which a pseudonym still does. */
const SUGGESTED: Record<Kind, PersonalField['suggestion']> = {
  ...{ name: 'hash', 'person-id': 'hash', email: 'hash' },
  ...{ phone: 'drop', location: 'drop', birth: 'drop', address: 'drop' },
};
const MAX_DEPTH = 6;
const MOST_ENTRIES = 200;
const MOST_ROWS = 3;
const MOST_FIELDS = 50;
const MOST_MESSAGES = 20_000;
const LONGEST_VALUE = 200;

/**
 * Fields that look like personal data, by their names and by the shapes of their values. Heuristics: what is listed may be
 * harmless, and a name in a field called `x7` is not found.
 */
export function personalFields(messages: readonly SampleMessage[]): PersonalField[] {
  const found = new Map<string, PersonalField>();
  // Evenly over the sample, where it is long.
  const stride = Math.max(1, Math.ceil(messages.length / MOST_MESSAGES));
  for (let i = 0; i < messages.length; i += stride) {
    const { payload, topic } = messages[i];
    const seen = new Map<string, PersonalField>();
    for (const level of topic.split('/')) {
      note(seen, 'topic', '', level);
    }
    look(decoded(payload), 'payload', 0, seen);
    for (const [key, field] of seen) {
      const known = found.get(key);
      if (known) {
        known.messages += stride;
      } else if (found.size < MOST_FIELDS) {
        found.set(key, { ...field, messages: stride });
      }
    }
  }
  return [...found.values()]
    .map((field) => ({ ...field, messages: Math.min(field.messages, messages.length) }))
    .sort((one, other) => other.messages - one.messages);
}

function look(value: unknown, path: string, depth: number, seen: Map<string, PersonalField>): void {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH || ArrayBuffer.isView(value)) {
    return;
  }
  if (Array.isArray(value)) {
    // A path of the uplink goes through every element of a list; the rows of a batch have the same fields.
    value.slice(0, MOST_ROWS).forEach((entry) => look(entry, path, depth + 1, seen));
    return;
  }
  for (const [key, entry] of Object.entries(value).slice(0, MOST_ENTRIES)) {
    const inner = `${path}.${key}`;
    note(seen, inner, key, entry);
    look(entry, inner, depth + 1, seen);
  }
}

function note(seen: Map<string, PersonalField>, path: string, key: string, value: unknown): void {
  if (typeof value === 'object' && value !== null) {
    return;
  }
  const byName = NAME_RULES.find(({ words }) => words.test(wordsOf(key)));
  const text = typeof value === 'string' && value.length <= LONGEST_VALUE ? value.trim() : '';
  const byValue = VALUE_RULES.find(({ shape }) => shape.test(text));
  const rule = byValue ?? (byName && fits(byName.kind, value) ? byName : undefined);
  if (rule) {
    const { kind } = rule;
    const field: PersonalField = {
      ...{ path, kind, because: byName?.kind === kind ? 'name' : 'value' },
      ...{ messages: 1, suggestion: SUGGESTED[kind] },
    };
    seen.set(path, field);
  }
}

/** Whether a value can be what its name says: `operator: 3.7` is a measurement, `lat: 4711` a latch. */
function fits(kind: Kind, value: unknown): boolean {
  if (value === null || value === undefined || value === '' || typeof value === 'boolean') {
    return false;
  }
  if (typeof value !== 'number') {
    return true;
  }
  switch (kind) {
    case 'location':
      return Math.abs(value) <= 180;
    case 'phone':
    case 'person-id':
    case 'birth':
      return Number.isInteger(value);
    case 'name':
    case 'email':
    case 'address':
      return false;
  }
}

/** `operatorName` and `operator_name` as `operator name`. */
function wordsOf(key: string): string {
  return key
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/[^A-Za-z0-9]+/g, ' ')
    .trim()
    .toLowerCase();
}

function decoded(payload: unknown): unknown {
  const text = Buffer.isBuffer(payload) ? payload.toString('utf8') : payload;
  if (typeof text !== 'string' || !/^\s*[[{]/.test(text)) {
    return payload;
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return payload;
  }
}
