/** Each of the others downloads from `tequio seed`: by torrent file and by magnet link, the peer given by hand. */
import { join } from 'node:path';
import { assertSameTree } from '../lab/content.ts';
import { type ForeignProgram, foreignPeers, type TorrentVersion } from '../lab/programs.ts';
import { TequioPeer } from '../lab/tequio.ts';
import { type Cell, testCells } from './cell.ts';

const timeoutMs = 40_000;

function cellOf(foreign: ForeignProgram, version: TorrentVersion, isByMagnet: boolean): Cell {
  return {
    program: foreign.name,
    what: isByMagnet ? 'magnet-to' : 'gives-to',
    variant: version,
    title: `${foreign.name} downloads ${version} from Tequio${isByMagnet ? ' by magnet link' : ''}`,
    run: async (stage) => {
      const torrent = await stage.torrent(version);
      const tequio = stage.use(new TequioPeer(stage.host('tequio')));
      await tequio.seed(torrent.file, stage.sourceFolder);
      const leech = stage.use(await foreign.start(stage.host('leech')));
      const folder = stage.newFolder();
      const source = isByMagnet ? torrent.magnet : torrent.file;
      await leech.download(source, folder, { peers: [tequio.endpoint] });
      await leech.waitComplete(timeoutMs);
      assertSameTree(join(folder, 'mixed'), join(stage.sourceFolder, 'mixed'), leech);
    },
  };
}

testCells(
  'seed',
  foreignPeers.flatMap((foreign) =>
    foreign.versions.flatMap((version) => [cellOf(foreign, version, false), cellOf(foreign, version, true)]),
  ),
);
