/** Seasons and episodes in titles, and lists of them in rules. */

export type Episode = { readonly season: number; readonly episode: number };
type Range = { readonly season: number; readonly from: number; readonly to: number };

/** `S01E02`, `1x02`; null: the title names none. */
export function tryEpisode(title: string): Episode | null {
  const match = /\bs(\d{1,3})[ ._-]?e(\d{1,4})\b/i.exec(title) ?? /\b(\d{1,3})x(\d{1,4})\b/i.exec(title);
  return match === null ? null : { season: Number(match[1]), episode: Number(match[2]) };
}

/** `2x1-8;2x11;3x5-`: a range without an end goes on, also into later seasons. Null: it is no such list. */
export function parseEpisodeRanges(text: string): readonly Range[] | null {
  const ranges: Range[] = [];
  for (const part of text.split(/[;,]/).map((one) => one.trim())) {
    if (part === '') continue;
    const match = /^(\d{1,3})x(\d{1,4})(-(\d{1,4})?)?$/.exec(part);
    if (match === null) return null;
    const [season, from] = [Number(match[1]), Number(match[2])];
    const to =
      match[3] === undefined ? from : match[4] === undefined ? Number.POSITIVE_INFINITY : Number(match[4]);
    if (to < from) return null;
    ranges.push({ season, from, to });
  }
  return ranges.length === 0 ? null : ranges;
}

export function fitsEpisodes({ season, episode }: Episode, ranges: readonly Range[]): boolean {
  return ranges.some((range) => {
    if (season === range.season) return episode >= range.from && episode <= range.to;
    return range.to === Number.POSITIVE_INFINITY && season > range.season;
  });
}

export function episodeKey({ season, episode }: Episode, title: string): string {
  return `s${season}e${episode}${isBetter(title) ? '+' : ''}`;
}

/** True when this episode was taken, unless this is the first repaired edition of it. */
export function isAgain(episode: Episode, title: string, taken: readonly string[]): boolean {
  return isBetter(title)
    ? taken.includes(episodeKey(episode, title))
    : taken.some((key) => key === episodeKey(episode, '') || key === `${episodeKey(episode, '')}+`);
}

function isBetter(title: string): boolean {
  return /\b(?:repack|proper)\b/i.test(title);
}
