import { computed, signal } from '@preact/signals';
import { en, type WordKey, type Words } from './en.ts';
import { es } from './es.ts';
import { fillMessage, type Gaps } from './message.ts';

export type Language = 'en' | 'es';

const catalogues: Readonly<Record<Language, Words>> = { en, es };
const storageKey = 'tequio.language';

export const languageNames: Readonly<Record<Language, string>> = { en: 'English', es: 'Español' };

export const language = signal<Language>(firstLanguage());

/** For `Intl`: the browser's own, where it is of the page's language, so that dates are as its user knows them. */
export const locale = computed(
  () => navigator.languages.find((tag) => tag.split('-')[0] === language.value) ?? language.value,
);

export function chooseLanguage(chosen: Language): void {
  language.value = chosen;
  document.documentElement.lang = chosen;
  localStorage.setItem(storageKey, chosen);
}

/** What the page says, in its user's language. */
export function say(key: WordKey, gaps: Gaps = {}): string {
  return fillMessage(catalogues[language.value][key], gaps, locale.value);
}

function firstLanguage(): Language {
  const stored = localStorage.getItem(storageKey);
  const wanted =
    stored ?? navigator.languages.map((tag) => tag.split('-')[0]).find((tag) => tag === 'es' || tag === 'en');
  const chosen = wanted === 'es' ? 'es' : 'en';
  document.documentElement.lang = chosen;
  return chosen;
}
