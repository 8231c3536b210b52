/** Which libtorrents are here: the distribution's, and the one of the interpreter that LIBTORRENT_PYTHON names. */
import { spawnSync } from 'node:child_process';
import { systemPython } from '../e2e/lab/libtorrent.ts';

export type Libtorrent = { readonly program: string; readonly version: string; readonly python: string };

let found: readonly Libtorrent[] | null = null;

/** Newest first, each called by its major and minor version. Empty: none. */
export function libtorrents(): readonly Libtorrent[] {
  const pythons = [process.env['LIBTORRENT_PYTHON'] ?? '', systemPython].filter((python) => python !== '');
  found ??= pythons.flatMap((python) => {
    const asked = spawnSync(python, ['-c', 'import libtorrent; print(libtorrent.version)'], {
      encoding: 'utf8',
    });
    const version = asked.status === 0 ? asked.stdout.trim().replace(/^(\d+\.\d+\.\d+)\.0$/, '$1') : '';
    return version === ''
      ? []
      : [{ program: `libtorrent ${/^\d+\.\d+/.exec(version)?.[0]}`, version, python }];
  });
  return found;
}

/** The one that serves and makes torrents for all. @throws Error where there is none */
export function newestLibtorrent(): Libtorrent {
  const [newest] = libtorrents();
  if (newest === undefined) throw new Error('this needs python3-libtorrent, or LIBTORRENT_PYTHON');
  return newest;
}

/** For both ends, over libtorrent's defaults: see README.md. */
export const libtorrentSettings = {
  connections_limit: 1000,
  unchoke_slots_limit: -1,
  mixed_mode_algorithm: 0,
  max_queued_disk_bytes: 100 * 1024 * 1024,
  aio_threads: 8,
  hashing_threads: 2,
  max_out_request_queue: 1500,
  max_allowed_in_request_queue: 2000,
  send_buffer_watermark: 3 * 1024 * 1024,
  send_buffer_low_watermark: 1024 * 1024,
  send_buffer_watermark_factor: 150,
} as const;

/** For rows about uTP. */
export const utpOnlySettings = {
  ...libtorrentSettings,
  enable_incoming_utp: true,
  enable_outgoing_utp: true,
  enable_incoming_tcp: false,
  enable_outgoing_tcp: false,
  // As Tequio asks of the system for its own; with the default it loses bursts and is slower still.
  recv_socket_buffer_size: 2 * 1024 * 1024,
  send_socket_buffer_size: 2 * 1024 * 1024,
} as const;
