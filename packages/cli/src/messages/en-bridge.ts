/** What the commands between IPFS and BitTorrent say, in English; see en.ts. */
export const helpOfBridge = {
  fromTorrent: 'offer the files of torrents on IPFS, from where they lie',
  toTorrent: 'get content from IPFS and share it as a torrent',
  share: 'offer files or folders on IPFS and as torrents, read once and lying once',
  torrent: 'the id of a torrent, the beginning of one, a part of its name, or “all”',
  path: 'a CID, or /ipfs/CID/name',
  folder: 'where the files go; by default where downloads go',
  name: 'of the file or folder; by default the last one of the path',
  file: 'a file or folder of this computer',
  encrypt: 'only on IPFS, sealed: who has the link can read it, and nobody else',
  open: 'write what a link of “ipfs share --encrypt” leads to to standard output',
  link: 'the whole link, with what follows its #',
};

export const bridgeTexts = {
  cid: 'On IPFS',
  onlyFiles: 'Single files are sealed: pack a folder into an archive first.',
  copied: (bytes: number) =>
    `${bytes} bytes lie twice on the disk: IPFS has cut them in a way in which no file lies.`,
};

export type HelpOfBridge = typeof helpOfBridge;
export type BridgeMessages = typeof bridgeTexts;
