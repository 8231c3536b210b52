import type { Messages } from './messages/en.ts';

export type Language = 'en' | 'es';

/**
 * The language of the user's environment, by the rule of POSIX: the first of LC_ALL, LC_MESSAGES and LANG that is set
 * and not empty decides. Anything but Spanish is English.
 */
export function languageOf(env: Readonly<Record<string, string | undefined>>): Language {
  const locale = env['LC_ALL'] || env['LC_MESSAGES'] || env['LANG'] || '';
  return /^es(?:[_.@-]|$)/i.test(locale) ? 'es' : 'en';
}

/** Loads one table only: the start of the program is on the user's time. */
export async function loadMessages(language: Language): Promise<Messages> {
  return language === 'es' ? (await import('./messages/es.ts')).es : (await import('./messages/en.ts')).en;
}
