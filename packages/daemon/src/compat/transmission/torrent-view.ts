import type {
  ListedTorrent,
  PeerSnapshot,
  PieceView,
  ShareGoal,
  ShownTorrent,
  TorrentsApi,
  TrackerSnapshot,
  WebSeedSnapshot,
} from '@tequio/api';
import { type ContentFile, contentFiles } from '../content-files.ts';
import type { KnownMetainfo } from '../known-metainfo.ts';

/** What is looked up besides a torrent's row, and only when a field needs it. */
export type ViewPart = 'files' | 'peers' | 'trackers' | 'pieces' | 'webSeeds' | 'shown';

/** One torrent as a request sees it. Parts that no field needs are empty. */
export type TorrentView = {
  readonly row: ListedTorrent;
  /** Transmission's `id`. */
  readonly number: number;
  /** The node's, which holds where the torrent has none of its own. */
  readonly shareGoal: ShareGoal;
  readonly files: readonly ContentFile[];
  readonly peers: readonly PeerSnapshot[];
  readonly trackers: readonly TrackerSnapshot[];
  readonly pieces: PieceView;
  readonly webSeeds: readonly WebSeedSnapshot[];
  /** Null while the metadata is not known. */
  readonly shown: ShownTorrent | null;
};

const noPieces: PieceView = { have: new Uint8Array(0), availability: new Uint8Array(0), active: [] };

export async function loadView(
  torrents: TorrentsApi,
  metainfo: KnownMetainfo,
  { row, number, shareGoal }: Pick<TorrentView, 'row' | 'number' | 'shareGoal'>,
  parts: ReadonlySet<ViewPart>,
): Promise<TorrentView> {
  const nothing = { files: [], peers: [], trackers: [], pieces: noPieces, webSeeds: [], shown: null };
  if (parts.size === 0) return { row, number, shareGoal, ...nothing };
  const { id } = row;
  const has = (part: ViewPart): boolean => parts.has(part);
  const [files, peers, trackers, pieces, webSeeds, shown] = await Promise.all([
    has('files') ? torrents.files(id) : [],
    has('peers') && row.peerCount > 0 ? torrents.peers(id) : [],
    has('trackers') && row.trackerHost !== null ? torrents.trackers(id) : [],
    has('pieces') ? torrents.pieces(id) : noPieces,
    has('webSeeds') ? torrents.webSeeds(id) : [],
    has('shown') ? metainfo.of(torrents, id) : null,
  ]);
  return {
    row,
    number,
    shareGoal,
    files: contentFiles(files, row),
    peers,
    trackers,
    pieces,
    webSeeds,
    shown,
  };
}
