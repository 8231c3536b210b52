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

/** Two regional indicators, which systems draw as a flag, or else as the two letters. */
export function flagOf(code: string | null): string {
  if (code === null || !/^[A-Z]{2}$/.test(code)) return '';
  return String.fromCodePoint(...[...code].map((letter) => 0x1f1e6 + letter.charCodeAt(0) - 65));
}
