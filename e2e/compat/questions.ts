/** What the real programs and ours are asked, which values must be the same, and what differs for a reason. */

export type Question = {
  readonly call: string;
  readonly params?: (known: {
    readonly infoHash: string;
    readonly folder: string;
  }) => Readonly<Record<string, unknown>>;
  /** The part of the answer that is compared. */
  readonly pick?: (answer: unknown) => unknown;
  /** Fields whose values are those of the torrent, and so the same in both. */
  readonly same?: readonly string[];
  /** Field to why it is missing or of another type or value. */
  readonly exceptions?: Readonly<Record<string, string>>;
};

const transmissionFields =
  `activityDate addedDate bandwidthPriority comment corruptEver creator dateCreated desiredAvailable doneDate
  downloadDir downloadedEver downloadLimit downloadLimited editDate error errorString eta etaIdle files fileStats
  hashString haveUnchecked haveValid honorsSessionLimits id isFinished isPrivate isStalled labels leftUntilDone
  magnetLink manualAnnounceTime maxConnectedPeers metadataPercentComplete name peer-limit peers peersConnected
  peersFrom peersGettingFromUs peersSendingToUs percentDone pieces pieceCount pieceSize priorities queuePosition
  rateDownload rateUpload recheckProgress secondsDownloading secondsSeeding seedIdleLimit seedIdleMode
  seedRatioLimit seedRatioMode sizeWhenDone startDate status trackers trackerStats totalSize torrentFile uploadedEver
  uploadLimit uploadLimited uploadRatio wanted webseeds webseedsSendingToUs`.split(/\s+/);

const ofTorrents = (names: string): readonly string[] =>
  names.split(/\s+/).map((name) => `torrents[].${name}`);

export const transmissionQuestions: readonly Question[] = [
  {
    call: 'torrent-get',
    params: () => ({ fields: transmissionFields }),
    same: ofTorrents(
      `bandwidthPriority comment creator downloadDir downloadLimited files[].bytesCompleted
      files[].length files[].name fileStats[].bytesCompleted fileStats[].priority fileStats[].wanted hashString
      haveValid id isFinished isPrivate isStalled leftUntilDone metadataPercentComplete name percentDone pieces
      pieceCount pieceSize priorities[] recheckProgress seedRatioMode seedIdleMode sizeWhenDone status
      trackers[].announce trackers[].id trackers[].scrape trackers[].tier trackerStats[].host trackerStats[].announce
      totalSize wanted[] uploadedEver`,
    ),
  },
  {
    call: 'session-get',
    same: ['units.speed-bytes', 'units.size-bytes', 'units.memory-bytes'],
  },
  { call: 'session-stats', same: ['activeTorrentCount', 'pausedTorrentCount', 'torrentCount'] },
  { call: 'free-space', params: ({ folder }) => ({ path: folder }), same: ['path'] },
  { call: 'queue-move-top', params: () => ({ ids: [1] }) },
  { call: 'torrent-reannounce', params: () => ({ ids: [1] }) },
  {
    call: 'torrent-set',
    params: () => ({ ids: [1], labels: ['a', 'b'], uploadLimit: 50, uploadLimited: true }),
  },
  {
    call: 'torrent-get',
    params: () => ({ ids: 'recently-active', fields: ['labels', 'uploadLimit', 'uploadLimited'] }),
    same: ofTorrents('labels[] uploadLimit uploadLimited'),
  },
  { call: 'torrent-set', params: () => ({ ids: [1], labels: [], uploadLimited: false }) },
];

const torrentNames =
  `category dl_limit f_l_piece_prio force_start hash infohash_v1 infohash_v2 amount_left completed content_path
  name progress save_path seq_dl size state super_seeding tags total_size trackers_count up_limit uploaded
  max_ratio max_seeding_time ratio_limit seeding_time_limit`.split(/\s+/);

export const qbittorrentQuestions: readonly Question[] = [
  { call: 'app/version' },
  { call: 'app/webapiVersion' },
  { call: 'app/buildInfo' },
  {
    call: 'app/preferences',
    exceptions: { proxy_type: 'a number until 4.6, a word since' },
  },
  { call: 'app/defaultSavePath' },
  { call: 'torrents/info', same: torrentNames.map((name) => `[].${name}`) },
  {
    call: 'torrents/properties',
    params: ({ infoHash }) => ({ hash: infoHash }),
    same: 'comment created_by creation_date piece_size pieces_have pieces_num save_path total_size'.split(
      ' ',
    ),
  },
  {
    call: 'torrents/files',
    params: ({ infoHash }) => ({ hash: infoHash }),
    same: 'index name size progress priority piece_range[] is_seed'.split(' ').map((name) => `[].${name}`),
  },
  { call: 'torrents/trackers', params: ({ infoHash }) => ({ hash: infoHash }), same: ['[].url'] },
  { call: 'torrents/webseeds', params: ({ infoHash }) => ({ hash: infoHash }) },
  { call: 'torrents/pieceStates', params: ({ infoHash }) => ({ hash: infoHash }), same: ['[]'] },
  { call: 'torrents/categories' },
  { call: 'torrents/tags' },
  { call: 'transfer/info' },
  { call: 'transfer/speedLimitsMode' },
  { call: 'log/main', pick: (lines) => (lines as unknown[]).slice(0, 1) },
  {
    call: 'sync/maindata',
    // Keys of torrents are hashes.
    pick: (answer) => {
      const { torrents, trackers, ...rest } = answer as {
        torrents: Record<string, object>;
        trackers: object;
      };
      return { ...rest, torrents: Object.values(torrents), trackers: Object.values(trackers) };
    },
    same: ['full_update', 'rid', 'torrents[].name', 'torrents[].size', 'torrents[].state'],
  },
  { call: 'sync/torrentPeers', params: ({ infoHash }) => ({ hash: infoHash }), same: ['full_update', 'rid'] },
  { call: 'rss/items' },
  { call: 'rss/rules' },
  { call: 'search/plugins' },
];

const ofGid =
  (...more: readonly unknown[]) =>
  () => ({ list: ['GID', ...more] });

export const aria2Questions: readonly Question[] = [
  { call: 'aria2.getVersion' },
  {
    call: 'aria2.tellStatus',
    params: ofGid(),
    same: [
      ...'bitfield completedLength dir infoHash numPieces pieceLength seeder status totalLength'.split(' '),
      ...'bittorrent.announceList[][] bittorrent.info.name bittorrent.mode bittorrent.creationDate'.split(
        ' ',
      ),
      ...'completedLength index length path selected'.split(' ').map((name) => `files[].${name}`),
    ],
  },
  {
    call: 'aria2.getFiles',
    params: ofGid(),
    same: ['[].index', '[].path', '[].length', '[].completedLength'],
  },
  { call: 'aria2.getPeers', params: ofGid() },
  { call: 'aria2.getUris', params: ofGid() },
  { call: 'aria2.getOption', params: ofGid(), pick: pickOptions, same: ['dir'] },
  { call: 'aria2.getGlobalOption', pick: pickOptions },
  { call: 'aria2.getGlobalStat', same: ['numActive', 'numWaiting', 'numStopped'] },
  { call: 'aria2.getSessionInfo' },
  {
    call: 'aria2.tellActive',
    params: () => ({ list: [['status', 'infoHash']] }),
    same: ['[].status', '[].infoHash'],
  },
  { call: 'aria2.tellWaiting', params: () => ({ list: [0, 10] }) },
  { call: 'aria2.tellStopped', params: () => ({ list: [0, 10] }) },
  { call: 'system.listNotifications' },
];

/** Of aria2's options, those that mean something to this node. */
function pickOptions(answer: unknown): unknown {
  const names = `dir max-download-limit max-upload-limit max-overall-download-limit max-overall-upload-limit
    max-concurrent-downloads listen-port enable-dht enable-peer-exchange bt-enable-lpd bt-require-crypto
    bt-max-peers seed-ratio file-allocation`.split(/\s+/);
  return Object.fromEntries(Object.entries(answer as object).filter(([name]) => names.includes(name)));
}
