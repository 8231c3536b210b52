import type { TrackerSnapshot } from '@tequio/api';
import type { TorrentView } from './torrent-view.ts';

/** `announce_state`, `scrape_state`. */
const trackerStates = { inactive: 0, waiting: 1, queued: 2, active: 3 } as const;

/** The page with a tracker's counts, beside its announce page (BEP 48); empty: it has none. */
function scrapeUrl(announce: string): string {
  if (announce.startsWith('udp:')) return announce;
  const slash = announce.lastIndexOf('/');
  return announce.startsWith('announce', slash + 1)
    ? `${announce.slice(0, slash + 1)}scrape${announce.slice(slash + 1 + 'announce'.length)}`
    : '';
}

function placeOf(announce: string): { readonly host: string; readonly sitename: string } {
  const url = URL.parse(announce);
  if (url === null) return { host: '', sitename: '' };
  const { hostname } = url;
  const host = `${url.protocol}//${url.host}`;
  const labels = hostname.split('.');
  const isAddress = hostname.startsWith('[') || /^[0-9.]+$/.test(hostname);
  return { host, sitename: isAddress || labels.length < 2 ? hostname : labels.at(-2)! };
}

/** `trackers` of `torrent_get`. */
export function trackerRows(
  trackers: readonly TrackerSnapshot[],
): readonly Readonly<Record<string, unknown>>[] {
  return trackers.map((tracker, id) => ({
    announce: tracker.url,
    id,
    scrape: scrapeUrl(tracker.url),
    sitename: placeOf(tracker.url).sitename,
    tier: tracker.tier,
  }));
}

/** `tracker_list`: a line a tracker, an empty line between tiers. */
export function trackerList(trackers: readonly TrackerSnapshot[]): string {
  let text = '';
  trackers.forEach((tracker, index) => {
    const before = trackers[index - 1];
    if (before !== undefined && before.tier !== tracker.tier) text += '\n';
    text += `${tracker.url}\n`;
  });
  return text;
}

/** The tiers that such a text says; null when a line is no address of a tracker. */
export function parseTrackerList(text: string): readonly (readonly string[])[] | null {
  const tiers = text
    .replaceAll('\r', '')
    .split(/\n[ \t]*\n/)
    .map((tier) => tier.split('\n').map((line) => line.trim()))
    .map((tier) => tier.filter((line) => line !== ''))
    .filter((tier) => tier.length > 0);
  return tiers.flat().every(isTrackerUrl) ? tiers : null;
}

export function isTrackerUrl(text: string): boolean {
  return /^(?:https?|udp|wss?):$/.test(URL.parse(text)?.protocol ?? '');
}

/** What the trackers say when none of them works and one has failed; else null. */
export function trackerFailure(trackers: readonly TrackerSnapshot[]): string | null {
  if (trackers.some(({ state }) => state === 'working')) return null;
  return trackers.find(({ state }) => state === 'failed')?.message ?? null;
}

/** `tracker_stats` of `torrent_get`. */
export function trackerStatRows({
  trackers,
  row,
}: TorrentView): readonly Readonly<Record<string, unknown>>[] {
  const isRunning = row.state !== 'paused' && row.state !== 'error';
  return trackers.map((tracker, id) => {
    const hasAnswered = tracker.state === 'working';
    const hasAsked = hasAnswered || tracker.state === 'failed';
    const next = tracker.nextAnnounceMs === null ? 0 : Math.floor(tracker.nextAnnounceMs / 1000);
    return {
      announce: tracker.url,
      announce_state: announceState(tracker, isRunning),
      download_count: -1,
      downloader_count: -1,
      has_announced: hasAsked,
      has_scraped: tracker.seedCount !== null,
      host: placeOf(tracker.url).host,
      id,
      // One of a tier is asked; the others stand behind it.
      is_backup: tracker.state === 'waiting' && trackers.some((other) => isAhead(other, tracker)),
      last_announce_peer_count: tracker.peerCount,
      last_announce_result: hasAnswered ? 'Success' : (tracker.message ?? ''),
      last_announce_start_time: 0,
      last_announce_succeeded: hasAnswered,
      last_announce_time: 0,
      last_announce_timed_out: false,
      last_scrape_result: '',
      last_scrape_start_time: 0,
      last_scrape_succeeded: tracker.seedCount !== null,
      last_scrape_time: 0,
      last_scrape_timed_out: false,
      leecher_count: tracker.leechCount ?? -1,
      next_announce_time: isRunning ? next : 0,
      next_scrape_time: 0,
      scrape: scrapeUrl(tracker.url),
      scrape_state: trackerStates.inactive,
      seeder_count: tracker.seedCount ?? -1,
      sitename: placeOf(tracker.url).sitename,
      tier: tracker.tier,
    };
  });
}

function announceState({ state, nextAnnounceMs }: TrackerSnapshot, isRunning: boolean): number {
  if (!isRunning) return trackerStates.inactive;
  if (state === 'announcing') return trackerStates.active;
  return nextAnnounceMs === null ? trackerStates.inactive : trackerStates.waiting;
}

function isAhead(other: TrackerSnapshot, tracker: TrackerSnapshot): boolean {
  return other !== tracker && other.tier === tracker.tier && other.state === 'working';
}
