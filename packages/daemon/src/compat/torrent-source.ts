import type { TorrentSource } from '@tequio/api';
import { NodeError } from '@tequio/kernel';
import type { CompatCaller, CompatPorts } from './compat-caller.ts';
import { isAbsolutePath } from './paths.ts';

/**
 * What another program calls a torrent, read: a magnet link, an info-hash (in base32 too), a web address, or a path on
 * the node's machine. Only who may change its settings may have the node read files there.
 * @throws NodeError as `NodeApi.readSource`, `SOURCE_UNKNOWN`, `USER_RIGHT`
 */
export async function readTorrentSource(
  text: string,
  caller: CompatCaller,
  ports: CompatPorts,
): Promise<TorrentSource> {
  const source = text.trim();
  if (/^[A-Z2-7]{32}$/i.test(source)) return { magnet: `magnet:?xt=urn:btih:${source}` };
  if (!isAbsolutePath(source)) {
    if (/^(?:magnet:|https?:\/\/|[0-9a-f]{40}$|[0-9a-f]{64}$)/i.test(source)) return ports.readSource(source);
    throw new NodeError('SOURCE_UNKNOWN', `"${source.slice(0, 100)}" is no magnet link, address or path.`);
  }
  if (caller.identity.scope !== 'admin')
    throw new NodeError(
      'USER_RIGHT',
      "You may not have the node read files of its own: send the torrent's content.",
    );
  return ports.readSource(source);
}
