import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EdgeError } from '../nodes/shared/errors';
import { ReportLanguage, type Catalogue } from './report-language';

/** Languages that reports can be in; the folders of `locales/`. */
export const REPORT_LANGUAGES = ['en-US', 'de', 'fr', 'ja', 'ko', 'pt-BR', 'zh-CN'] as const;
const FALLBACK: (typeof REPORT_LANGUAGES)[number] = 'en-US';

/**
 * The language of a report that readers of another one understand best: `de` for `de-AT`, `pt-BR` for `pt`, and none for
 * `zh-TW`, which is written in other characters.
 */
export function matchingLanguage(tag: string): string | undefined {
  const wanted = written(tag);
  return wanted && REPORT_LANGUAGES.find((known) => written(known) === wanted);
}

/** The same; English where there is none. */
export function nearestLanguage(tag: string): string {
  return matchingLanguage(tag) ?? FALLBACK;
}

/** The language that a person asked for by name. @throws EdgeError `REQUEST` for one that there is not */
export function namedLanguage(tag: string): string {
  const known = matchingLanguage(tag);
  if (known === undefined) {
    throw new EdgeError(
      'REQUEST',
      `There are no reports in the language "${tag}". There are: ${REPORT_LANGUAGES.join(', ')}.`,
    );
  }
  return known;
}

/** The language of the environment, as POSIX has it: `LC_ALL`, else `LC_MESSAGES`, else `LANG`; English for all others. */
export function environmentLanguage(environment: Readonly<Record<string, string | undefined>>): string {
  const { LC_ALL, LC_MESSAGES, LANG } = environment;
  // Such as de_DE.UTF-8@euro.
  const tag = (LC_ALL || LC_MESSAGES || LANG || '').replace(/[.@].*$/, '').replaceAll('_', '-');
  return nearestLanguage(tag);
}

/** @param tag one of {@link REPORT_LANGUAGES}; English for any other */
export function loadLanguage(tag: string): ReportLanguage {
  const known = nearestLanguage(tag);
  const file = join(__dirname, 'locales', known, 'assessment.json');
  const { assessment } = JSON.parse(readFileSync(file, 'utf8')) as { assessment: Catalogue };
  return new ReportLanguage(known, assessment);
}

/** Language and script, such as `zh-Hans`; undefined for what is no tag. */
function written(tag: string): string | undefined {
  try {
    const { language, script } = new Intl.Locale(tag).maximize();
    return `${language}-${script}`;
  } catch {
    return undefined;
  }
}
