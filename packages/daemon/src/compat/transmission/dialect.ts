/**
 * Transmission's two dialects. Inside, every word is written as since 4.1 (snake_case); the older one mixes camelCase
 * with kebab-case, each word always the same way.
 * Source: docs/rpc-spec.md of Transmission 4.1, and of 4.0.6 for the older dialect.
 */

/** Words that the older dialect writes with hyphens; the others it writes in camelCase. */
const kebabWords = new Set(
  `alt_speed_down alt_speed_enabled alt_speed_time_begin alt_speed_time_day alt_speed_time_enabled
  alt_speed_time_end alt_speed_up anti_brute_force_enabled blocklist_enabled blocklist_size blocklist_url
  config_dir cumulative_stats current_stats default_trackers dht_enabled download_dir download_dir_free_space
  download_queue_enabled download_queue_size file_count idle_seeding_limit idle_seeding_limit_enabled
  incomplete_dir incomplete_dir_enabled lpd_enabled memory_bytes memory_units peer_limit peer_limit_global
  peer_limit_per_torrent peer_port peer_port_random_on_start pex_enabled port_forwarding_enabled port_is_open
  primary_mime_type queue_stalled_enabled queue_stalled_minutes rename_partial_files rpc_version
  rpc_version_minimum rpc_version_semver script_torrent_added_enabled script_torrent_added_filename
  script_torrent_done_enabled script_torrent_done_filename script_torrent_done_seeding_enabled
  script_torrent_done_seeding_filename seed_queue_enabled seed_queue_size session_id size_bytes size_units
  speed_bytes speed_limit_down speed_limit_down_enabled speed_limit_up speed_limit_up_enabled speed_units
  start_added_torrents tcp_enabled torrent_added torrent_duplicate trash_original_torrent_files utp_enabled`.split(
    /\s+/,
  ),
);

/** Words of the older dialect that follow no rule (a torrent's fields are called as they were asked for). */
const oldWords: Readonly<Record<string, string>> = {
  is_utp: 'isUTP',
  cache_size_mib: 'cache-size-mb',
  total_size: 'total_size',
  // Came late, and was written so from the start.
  ip_protocol: 'ip_protocol',
  preferred_transports: 'preferred_transports',
  sequential_download: 'sequential_download',
  sequential_download_from_piece: 'sequential_download_from_piece',
};
const newWords: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(oldWords).map(([is, was]) => [was, is]),
);

/** `torrent-get`, `hashString`, `hash_string` -> `torrent_get`, `hash_string`. */
export function modernWord(word: string): string {
  return (
    newWords[word] ?? word.replaceAll('-', '_').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  );
}

/** `hash_string` -> `hashString`, `peer_limit` -> `peer-limit`. */
export function olderWord(word: string): string {
  return (
    oldWords[word] ??
    (kebabWords.has(word)
      ? word.replaceAll('_', '-')
      : word.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()))
  );
}

/** The keys of an object, and of objects in it; one level of values is all that Transmission's requests have. */
export function modernKeys(args: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(args).map(([key, value]) => [modernWord(key), value]));
}

/** Keys at every depth. */
export function olderKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(olderKeys);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [olderWord(key), olderKeys(inner)]));
}
