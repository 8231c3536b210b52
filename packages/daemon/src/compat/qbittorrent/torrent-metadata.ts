/** `torrents/fetchMetadata`, `parseMetadata`, `saveMetadata`: what is in a torrent before it is added. */
import type { ShownTorrent, TorrentId } from '@tequio/api';
import { NodeError } from '@tequio/kernel';
import { callerKey } from '../compat-caller.ts';
import { compatLimits } from '../compat-limits.ts';
import { readTorrentSource } from '../torrent-source.ts';
import { ApiAnswer } from './api-answer.ts';
import { badParams, conflict } from './api-error.ts';
import type { ApiCall } from './caller-state.ts';
import { hashOf } from './torrent-rows.ts';

/**
 * Of a torrent file or a torrent that is known here at once. Of a magnet link its hashes, with status 202, while peers
 * are asked; the same call, made again, gives the whole when they have answered.
 */
export async function fetchMetadata(call: ApiCall): Promise<object> {
  const { ports, caller, shared } = call;
  const source = await readTorrentSource(call.form.required('source'), caller, ports);
  const shown = ports.show(source);
  const id = idOf(shown);
  const torrent = 'torrent' in source ? source.torrent : await knownTorrent(call, id);
  if (torrent !== null) return kept(call, torrent);
  const { fetching } = shared.torrents;
  if (!fetching.has(id)) {
    if (fetching.size >= compatLimits.metadataFetchCountMax)
      throw conflict('Peers are being asked about too many torrents already.');
    fetching.add(id);
    // Whether they have answered in time is seen by the next call.
    void caller.management.torrents
      .preview(source, compatLimits.metadataTimeoutMs)
      .catch(() => undefined)
      .finally(() => fetching.delete(id));
  }
  return ApiAnswer.begun({
    hash: hashOf(shown),
    infohash_v1: shown.infoHashV1 ?? '',
    infohash_v2: shown.infoHashV2 ?? '',
  });
}

/** Of each file that was sent, in their order. */
export async function parseMetadata(call: ApiCall): Promise<readonly object[]> {
  if (call.form.files.length === 0) throw badParams('Must specify torrent file(s)');
  return call.form.files.map((torrent) => kept(call, torrent));
}

/** The torrent file of one that was fetched or parsed, or that is here. */
export async function saveMetadata(call: ApiCall): Promise<Uint8Array> {
  const source = await readTorrentSource(call.form.required('source'), call.caller, call.ports);
  if ('torrent' in source) return source.torrent;
  const torrent = await knownTorrent(call, idOf(call.ports.show(source)));
  if (torrent === null) throw conflict('Metadata is not yet available');
  return torrent;
}

const idOf = ({ infoHashV1, infoHashV2 }: ShownTorrent): TorrentId => (infoHashV1 ?? infoHashV2)!;

async function knownTorrent({ caller, shared }: ApiCall, id: TorrentId): Promise<Uint8Array | null> {
  const read = shared.torrents.get(callerKey(caller), id);
  if (read !== null) return read;
  return caller.management.torrents.exportTorrent(id).catch((error: unknown) => {
    if (error instanceof NodeError && error.code === 'TORRENT_MISSING') return null;
    throw error;
  });
}

function kept({ ports, caller, shared }: ApiCall, torrent: Uint8Array): object {
  const shown = ports.show({ torrent });
  shared.torrents.keep(callerKey(caller), idOf(shown), torrent);
  return metadataOf(shown);
}

function metadataOf(shown: ShownTorrent): object {
  return {
    comment: shown.comment ?? '',
    created_by: shown.createdBy ?? '',
    creation_date: shown.createdAt ?? -1,
    hash: hashOf(shown),
    infohash_v1: shown.infoHashV1 ?? '',
    infohash_v2: shown.infoHashV2 ?? '',
    info: {
      files: shown.files.filter(({ pad }) => !pad).map(({ path, bytes }) => ({ path, length: bytes })),
      length: shown.totalBytes,
      name: shown.name,
      piece_length: shown.pieceBytes,
      pieces_num: shown.pieceCount,
      private: shown.private,
    },
    trackers: shown.trackers.flatMap((urls, tier) => urls.map((url) => ({ url, tier }))),
    webseeds: shown.webSeeds,
  };
}
