/**
 * From a magnet link, with nothing but the DHT to find peers, to the first piece that was verified: each program in
 * turn, in a small local DHT of libtorrent's nodes with one seeder. What is measured: bench/README.md.
 */
import { join } from 'node:path';
import type { Lab } from '../../e2e/lab/lab.ts';
import { LibtorrentPeer } from '../../e2e/lab/libtorrent.ts';
import { TequioPeer } from '../../e2e/lab/tequio.ts';
import { until } from '../../e2e/lab/until.ts';
import { makeContent, mebibyte } from '../content.ts';
import { ownVersion } from '../downloaders.ts';
import { libtorrents, newestLibtorrent } from '../libtorrents.ts';
import { ours, type RowRunner, type Values } from '../row.ts';

const wish = { bytes: 64 * mebibyte, pieceBytes: 256 * 1024 };
const crowdCount = 20;
const crowdPort = 7000;
const timeoutMs = 60_000;

type Setting = { readonly lab: Lab; readonly magnet: string; readonly bootstrap: string };

export const magnet: RowRunner = {
  plan: async ({ lab }) => ({
    setting: { ...wish, crowdCount, seeder: newestLibtorrent().version },
    cases: [
      {
        name: 'local DHT',
        open: async () => {
          const setting = await prepare(lab);
          const others = libtorrents().map(({ program, version, python }) => ({
            program,
            version,
            measure: () => measureLibtorrent(setting, python),
          }));
          const own = { program: ours, version: ownVersion(), measure: () => measureTequio(setting) };
          return { contenders: [own, ...others] };
        },
      },
    ],
  }),
};

/** A DHT of a crowd on one host, and a seeder that has announced itself there. */
async function prepare(lab: Lab): Promise<Setting> {
  const { folder, torrentFile, infoHash } = await makeContent(lab.folder, 'source', wish);
  const { python } = newestLibtorrent();
  const crowd = await LibtorrentPeer.start(lab.addHost('crowd'), {}, [], python);
  await crowd.startCrowd(crowdCount, crowdPort, [crowd.endpoint]);
  const seeder = await LibtorrentPeer.start(lab.addHost('seeder'), {}, [crowd.endpoint], python);
  await seeder.seed(torrentFile, folder);
  const setting = { lab, magnet: `magnet:?xt=urn:btih:${infoHash}`, bootstrap: crowd.endpoint };
  // The seeder's announcement takes its time: a first download, not measured, waits for it.
  await measureLibtorrent(setting, python);
  return setting;
}

async function measureTequio({ lab, magnet: link, bootstrap }: Setting): Promise<Values> {
  const host = lab.addHost('tequio');
  const peer = new TequioPeer(host);
  const startMs = performance.now();
  peer.start(['get', link, '--to', join(host.folder, 'got'), '--dht-bootstrap', bootstrap]);
  const [addedMs, firstMs] = await Promise.all([
    peer.timeOf('bittorrent.torrent.added', timeoutMs),
    peer.timeOf('bittorrent.piece.verified', timeoutMs),
  ]);
  await peer.stop();
  lab.removeHost(host);
  return { fromLink: (firstMs - addedMs) / 1000, fromStart: (firstMs - startMs) / 1000 };
}

async function measureLibtorrent({ lab, magnet: link, bootstrap }: Setting, python: string): Promise<Values> {
  const host = lab.addHost('libtorrent');
  const startMs = performance.now();
  const peer = await LibtorrentPeer.start(host, {}, [bootstrap], python);
  const linkMs = performance.now();
  await peer.download(link, join(host.folder, 'got'), {});
  const hasPiece = async (): Promise<boolean> => (await peer.status()).havePieceCount > 0;
  await until('libtorrent has a piece', timeoutMs, hasPiece, 2);
  const firstMs = performance.now();
  await peer.stop();
  lab.removeHost(host);
  return { fromLink: (firstMs - linkMs) / 1000, fromStart: (firstMs - startMs) / 1000 };
}
