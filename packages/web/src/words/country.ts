import { locale } from './words.ts';

const names = new Map<string, Intl.DisplayNames>();

/** In the page's language. */
export function countryName(code: string): string {
  let known = names.get(locale.value);
  if (known === undefined) {
    known = new Intl.DisplayNames(locale.value, { type: 'region' });
    names.set(locale.value, known);
  }
  return known.of(code) ?? code;
}
