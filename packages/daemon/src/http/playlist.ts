import type { FileSnapshot } from '@tequio/api';
import { isPlayable } from './media-type.ts';

/** An extended M3U of the files that can be played and are wanted, in the torrent's order. */
export function encodePlaylist(
  files: readonly FileSnapshot[],
  urlOf: (file: FileSnapshot, name: string) => string,
): string {
  const lines = ['#EXTM3U'];
  for (const file of files) {
    if (file.pad || file.priority === 0 || !isPlayable(file.path)) continue;
    const name = file.path.split('/').at(-1) ?? '';
    // A name is a stranger's: it must not begin a line of its own.
    lines.push(`#EXTINF:-1,${name.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ')}`, urlOf(file, name));
  }
  return `${lines.join('\n')}\n`;
}
