import type { NodeApi, TorrentSource } from '@tequio/api';
import { missingError } from './errors.ts';
import type { Session } from './session.ts';
import { isSourceAddress, resolveSource } from './source-text.ts';

/** Reads what the user named as a torrent; Ctrl-C ends the waiting for a web server. @throws NodeError */
export async function readTorrentInput(
  session: Session,
  node: NodeApi,
  text: string,
): Promise<TorrentSource> {
  const source = resolveSource(session.world, text);
  if (!isSourceAddress(source) && (await node.files.kind(source)) === null)
    throw missingError(session.messages, source);
  return session.interrupt.race(node.readSource(source));
}
