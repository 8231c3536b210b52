import type { AddTorrent, TorrentSource } from '@tequio/api';
import { NodeError } from '@tequio/kernel';
import { tryFromBase64 } from '../base64.ts';
import { isAbsolutePath } from '../paths.ts';
import { readTorrentSource } from '../torrent-source.ts';
import { invalidParams, RpcError, rpcCodes } from './rpc-error.ts';
import { chooseTorrents, type RpcCall, torrentsOf } from './session.ts';
import { setFileWishes } from './torrent-actions.ts';
import { checkedLabels } from './torrent-set.ts';

/** Of one file; given here, it waits until they are set. */
const fileWishes = [
  'files_unwanted',
  'files_wanted',
  'priority_high',
  'priority_low',
  'priority_normal',
] as const;

/** `torrent_add`: docs/rpc-spec.md, section 3.4. */
export async function torrentAdd(call: RpcCall): Promise<Record<string, unknown>> {
  const { args } = call;
  const folder = args.text('download_dir');
  if (folder !== null && !isAbsolutePath(folder))
    throw new RpcError(rpcCodes.pathNotAbsolute, 'download directory path is not absolute');
  const paused = args.flag('paused') ?? false;
  const labels = args.texts('labels');
  const waits = !paused && fileWishes.some((key) => args.has(key));
  const wish: Omit<AddTorrent, 'source'> = {
    ...(folder === null ? {} : { folder }),
    ...(labels === null ? {} : { tags: checkedLabels(labels) }),
    paused: paused || waits,
    sequential: args.flag('sequential_download') ?? false,
  };
  const torrents = torrentsOf(call);
  const { id, known } = await torrents.add({ source: await sourceOf(call), ...wish }).catch(refuse);
  if (!known) {
    await setFileWishes(call, id);
    if (waits) await torrents.resume([id]);
  }
  await chooseTorrents(call, null);
  const row = await torrents.get(id);
  const said = {
    id: call.session.numbers.numberOf(id),
    name: row?.name ?? '',
    hash_string: row?.infoHashV1 ?? row?.infoHashV2?.slice(0, 40) ?? id,
  };
  return known ? { torrent_duplicate: said } : { torrent_added: said };
}

async function sourceOf(call: RpcCall): Promise<TorrentSource> {
  const metainfo = call.args.text('metainfo');
  if (metainfo !== null && metainfo !== '') {
    const torrent = tryFromBase64(metainfo);
    if (torrent === null) throw new RpcError(rpcCodes.unrecognizedInfo);
    return { torrent };
  }
  const filename = call.args.text('filename');
  if (filename === null || filename === '') throw invalidParams('no filename or metainfo specified');
  return readTorrentSource(filename, call.caller, call.ports);
}

/** What is wrong with the torrent itself has a code of its own. */
function refuse(error: unknown): never {
  if (error instanceof NodeError && /METAINFO|BENCODE|MAGNET|INFO_HASH/.test(error.code))
    throw new RpcError(rpcCodes.corruptTorrent);
  throw error;
}
