import { locale } from '../words/words.ts';

export type Weekday = {
  /** 0 is Sunday. */
  readonly day: number;
  readonly short: string;
  readonly long: string;
};

/** With their names, in the order of the user's week. */
export function weekdays(): readonly Weekday[] {
  const nameOf = (day: number, weekday: 'short' | 'long'): string =>
    // The fourth of January 1970 was a Sunday.
    new Intl.DateTimeFormat(locale.value, { weekday, timeZone: 'UTC' }).format((3 + day) * 86_400_000);
  const first = firstDay(locale.value);
  return [0, 1, 2, 3, 4, 5, 6].map((step) => {
    const day = (first + step) % 7;
    return { day, short: nameOf(day, 'short'), long: nameOf(day, 'long') };
  });
}

type WeekKnower = { getWeekInfo?(): { readonly firstDay: number } };

/** Monday, where the browser does not know. */
function firstDay(tag: string): number {
  return ((new Intl.Locale(tag) as WeekKnower).getWeekInfo?.().firstDay ?? 1) % 7;
}
