import { EdgeError } from '../nodes/shared/errors';

/** Texts by name; `__name__` in a text is filled in. */
export interface Catalogue {
  [name: string]: string | Catalogue;
}

const BYTE_UNITS = ['bytes', 'kilobytes', 'megabytes', 'gigabytes', 'terabytes', 'petabytes'];

/** The words of a report in one language, and how that language writes numbers and dates. */
export class ReportLanguage {
  private readonly plain: Intl.NumberFormat;
  private readonly whole: Intl.NumberFormat;
  private readonly cents: Intl.NumberFormat;
  private readonly plural: Intl.PluralRules;

  /** @param tag such as `pt-BR` */
  constructor(
    readonly tag: string,
    private readonly catalogue: Catalogue,
  ) {
    this.plain = new Intl.NumberFormat(tag, { maximumFractionDigits: 12 });
    this.whole = new Intl.NumberFormat(tag, { maximumFractionDigits: 0 });
    this.cents = new Intl.NumberFormat(tag, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    this.plural = new Intl.PluralRules(tag);
  }

  /**
   * @param key dotted names
   * @param values what `__name__` in the text stands for
   * @throws EdgeError `INTERNAL` for a text that is not there
   */
  text(key: string, values: Readonly<Record<string, string>> = {}): string {
    const found = this.find(key);
    if (found === undefined) {
      throw new EdgeError('INTERNAL', `The text "${key}" is missing in the language ${this.tag}.`);
    }
    return found.replace(/__(\w+?)__/g, (placeholder, name: string) => values[name] ?? placeholder);
  }

  /** A text that differs for one and for many; `__count__` in it is the whole number, unless `values` has another. */
  counted(key: string, count: number, values: Readonly<Record<string, string>> = {}): string {
    const form = `${key}_${this.plural.select(count)}`;
    // A few languages have forms for millions, which read like any other number here.
    const known = this.find(form) === undefined ? `${key}_other` : form;
    return this.text(known, { count: this.count(count), ...values });
  }

  /** A number with so many significant digits, and separators of thousands. */
  number(value: number, digits = 3): string {
    return Number.isFinite(value) ? this.plain.format(Number(value.toPrecision(digits))) : '–';
  }

  /** A whole number with separators of thousands. */
  count(value: number): string {
    return this.whole.format(Math.round(value));
  }

  /** Bytes in decimal units, as providers price them. */
  size(bytes: number): string {
    const power = Math.floor(Math.log10(Math.max(1, bytes)) / 3);
    const unit = Math.max(0, Math.min(BYTE_UNITS.length - 1, power));
    return this.unit(BYTE_UNITS[unit], bytes / 1000 ** unit);
  }

  /** A duration in ms, in µs, ms or s. */
  duration(ms: number): string {
    if (ms < 1) {
      return this.unit('microseconds', ms * 1000);
    }
    return ms < 1000 ? this.unit('milliseconds', ms) : this.unit('seconds', ms / 1000);
  }

  /** @param share 1 = all of it */
  percent(share: number): string {
    return this.unit('percent', 100 * share);
  }

  /** An amount in the user's own currency. */
  money(amount: number): string {
    return (Math.abs(amount) >= 100 ? this.whole : this.cents).format(amount);
  }

  /** @param unit a name under `unit` */
  unit(unit: string, value: number, digits = 3): string {
    return this.text(`unit.${unit}`, { value: this.number(value, digits) });
  }

  /** @param at ms since the epoch; shown in UTC */
  date(at: number): string {
    return new Intl.DateTimeFormat(this.tag, {
      ...{ dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' },
    }).format(at);
  }

  list(names: readonly string[]): string {
    return new Intl.ListFormat(this.tag).format(names);
  }

  private find(key: string): string | undefined {
    const found = key
      .split('.')
      .reduce<Catalogue[string] | undefined>(
        (inner, name) => (typeof inner === 'object' ? inner[name] : undefined),
        this.catalogue,
      );
    return typeof found === 'string' ? found : undefined;
  }
}
