/** Tequio downloads from each of the others: by torrent file and by magnet link, the peer given by hand. */
import { join } from 'node:path';
import { assertSameTree } from '../lab/content.ts';
import { waitAnswering } from '../lab/peer.ts';
import { type ForeignProgram, foreignPeers, type TorrentVersion } from '../lab/programs.ts';
import { TequioPeer } from '../lab/tequio.ts';
import { type Cell, testCells } from './cell.ts';

const timeoutMs = 40_000;

function cellOf(foreign: ForeignProgram, version: TorrentVersion, isByMagnet: boolean): Cell {
  return {
    program: foreign.name,
    what: isByMagnet ? 'magnet-from' : 'gets-from',
    variant: version,
    title: `Tequio downloads ${version} from ${foreign.name}${isByMagnet ? ' by magnet link' : ''}`,
    run: async (stage) => {
      const torrent = await stage.torrent(version);
      const seeder = stage.use(await foreign.start(stage.host('seeder')));
      await seeder.seed(torrent.file, stage.sourceFolder);
      await waitAnswering(seeder.endpoint, torrent.infoHashV1 ?? torrent.infoHashV2!);
      const tequio = stage.use(new TequioPeer(stage.host('tequio')));
      const folder = stage.newFolder();
      const source = isByMagnet ? torrent.magnet : torrent.file;
      await tequio.download(source, folder, { peers: [seeder.endpoint] });
      await tequio.waitComplete(timeoutMs);
      assertSameTree(join(folder, 'mixed'), join(stage.sourceFolder, 'mixed'));
    },
  };
}

testCells(
  'download',
  foreignPeers.flatMap((foreign) =>
    foreign.versions.flatMap((version) => [cellOf(foreign, version, false), cellOf(foreign, version, true)]),
  ),
);
