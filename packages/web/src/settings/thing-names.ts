/** What a thing in a list of settings is called, so that it can be told from the others while it is closed. */
import type { Settings } from '@tequio/api';
import { locale, say } from '../words/words.ts';
import { weekdays } from './weekdays.ts';

type Schedule = Settings['altLimits']['schedule'][number];
type WatchFolder = Settings['watch'][number];

/** Null: a newer node has lists that this page does not know. */
export function thingName(key: string, thing: unknown): string | null {
  if (key === 'watch') return (thing as WatchFolder).path;
  return key === 'altLimits.schedule' ? scheduleName(thing as Schedule) : null;
}

function scheduleName({ days, fromMinute, toMinute }: Schedule): string {
  const times = `${timeOf(fromMinute)} – ${timeOf(toMinute)}`;
  const name = `${daysName(days)}, ${times}`;
  return toMinute > fromMinute ? name : `${name} ${say('settings.nextDay')}`;
}

/** Three or more that follow each other are said as a span. */
function daysName(chosen: readonly number[]): string {
  if (new Set(chosen).size === 7) return say('settings.everyDay');
  const week = weekdays();
  const places = week.flatMap(({ day }, place) => (chosen.includes(day) ? [place] : []));
  const isSpan = places.length > 2 && places.at(-1)! - places[0]! === places.length - 1;
  if (isSpan) return `${week[places[0]!]!.short} – ${week[places.at(-1)!]!.short}`;
  return places.map((place) => week[place]!.short).join(', ');
}

function timeOf(minute: number): string {
  return new Intl.DateTimeFormat(locale.value, { timeStyle: 'short', timeZone: 'UTC' }).format(
    minute * 60_000,
  );
}
