/** A row of a table: a name and what is known of it. */
export type Row = [name: string, value: string];

/** One chapter of a report, in words that both text and HTML use. */
export interface Chapter {
  id: 'traffic' | 'reduction' | 'personal' | 'capacity' | 'latency' | 'money' | 'assumptions';
  title: string;
  /** The answer in one sentence. */
  verdict: string;
  /** Whether the verdict is one that asks for action; undefined where it is neither good nor bad. */
  good?: boolean;
  rows: Row[];
  tables: { header: string[]; rows: string[][] }[];
  notes: string[];
}
